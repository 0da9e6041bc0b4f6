/** How much a lane gives a day, in documents of one size: what pools are ordered by. */
import type { Limit, Metric, UnitCost, Window } from '../core/model.ts';

/** A document as lanes are compared by: a page or three, and a paragraph of summary; in tokens. */
export const TYPICAL_DOCUMENT = { input: 2_000, output: 300 } as const;

const DAY_MS = 86_400_000;
const DAYS_PER = { day: 1, week: 7, month: 30 } as const;

/**
 * Whole documents of {@link TYPICAL_DOCUMENT} a day within every one of the limits, one document per call, when the
 * lane has them to itself; infinite without limits. A limit of `units` bounds nothing without a cost. Months have 30 days.
 */
export function documentsPerDay(limits: readonly Limit[], unitCost?: UnitCost): number {
  const amounts = limits.map(
    ({ metric, amount, window }) => (amount * windowsPerDay(window)) / costOf(metric, unitCost),
  );
  return Math.floor(Math.min(Infinity, ...amounts));
}

function costOf(metric: Metric, unitCost: UnitCost = { input: 0, output: 0 }): number {
  const { input, output } = TYPICAL_DOCUMENT;
  switch (metric) {
    case 'requests':
      return 1;
    case 'tokens':
      return input + output;
    case 'inputTokens':
      return input;
    case 'outputTokens':
      return output;
    case 'units':
      return (input * unitCost.input + output * unitCost.output) / 1_000;
  }
}

function windowsPerDay(window: Window): number {
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'fixed':
    case 'session':
      return DAY_MS / window.perMs;
    case 'fixed-month':
      return 1 / DAYS_PER.month;
    case 'calendar':
      return 1 / DAYS_PER[window.unit];
  }
}
