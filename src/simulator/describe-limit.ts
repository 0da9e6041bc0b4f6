/** Durations and limits in short words, for statistics, reports and configuration. */
import type { SimulatedLimit, SimulatedWindow } from './tier.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** `1500ms`, `60s`, `1d`: the largest of these units that divides it. Whole milliseconds only. */
export function durationText(durationMs: number): string {
  if (durationMs % DAY_MS === 0) return `${durationMs / DAY_MS}d`;
  return durationMs % SECOND_MS === 0 ? `${durationMs / SECOND_MS}s` : `${durationMs}ms`;
}

/** `30 requests per 60s (rolling)`. */
export function describeLimit(limit: SimulatedLimit): string {
  return `${limit.amount} ${limit.metric} per ${describeWindow(limit.window)}`;
}

function describeWindow(window: SimulatedWindow): string {
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'fixed':
    case 'session':
      return `${durationText(window.perMs)} (${window.kind})`;
    case 'fixed-month':
      return `month (fixed, ${window.timeZone})`;
    case 'calendar':
      return `${window.unit} (calendar, ${window.timeZone})`;
  }
}
