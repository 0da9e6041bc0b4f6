/** Ready-made sets of tiers, and the speeding up of their clocks. */
import type { Scenario } from './scenario-default.ts';
import { periodAt } from '../windows/periods.ts';
import { DEFAULT_SCENARIO } from './scenario-default.ts';
import { DEMO_SCENARIO } from './scenario-demo.ts';
import type {
  CalendarUnit,
  SimulatedLimit,
  SimulatedModel,
  SimulatedTier,
  SimulatedWindow,
} from '../tier.ts';
import { windowName } from '../tier.ts';

/** By the name that the command line takes. */
export const SCENARIOS: Readonly<Record<'default' | 'demo', Scenario>> = {
  default: DEFAULT_SCENARIO,
  demo: DEMO_SCENARIO,
};

const DAY_MS = 86_400_000;
const NEW_YEAR_2026_AT_MS = 1_767_225_600_000;
const MONTH_MS = 30 * DAY_MS;
const UNIT_MS: Readonly<Record<CalendarUnit, number>> = { day: DAY_MS, week: 7 * DAY_MS, month: MONTH_MS };
/** Windows are not made shorter than this, the shortest that Nightshift's configuration can express. */
const SHORTEST_WINDOW_MS = 100;

/**
 * The same tiers with every window and latency divided by `speed` (1 or more; the amounts stay).
 *
 * Calendar windows become fixed ones that start at a midnight of their zone (weeks too, on the first day of 2026),
 * months become 30 days; each keeps the word its provider uses for it. A window that would be shorter than 100 ms is
 * kept at 100 ms with more in it, at the same rate.
 */
export function speedUp(tiers: readonly SimulatedTier[], speed: number): readonly SimulatedTier[] {
  if (!(speed >= 1)) throw new Error(`Expected \`speed\` to be 1 or more, got ${speed}.`);
  if (speed === 1) return tiers;
  return tiers.map((tier) => ({
    ...tier,
    limits: tier.limits.map((limit) => fasterLimit(limit, speed)),
    models: tier.models.map((model) => fasterModel(model, speed)),
  }));
}

function fasterModel(model: SimulatedModel, speed: number): SimulatedModel {
  const { minMs, perOutputTokenMs = 0, jitterMs = 0 } = model.latency;
  return {
    ...model,
    limits: model.limits.map((limit) => fasterLimit(limit, speed)),
    latency: { minMs: minMs / speed, perOutputTokenMs: perOutputTokenMs / speed, jitterMs: jitterMs / speed },
  };
}

function fasterLimit(limit: SimulatedLimit, speed: number): SimulatedLimit {
  const perMs = lengthMs(limit.window) / speed;
  const keptMs = Math.max(SHORTEST_WINDOW_MS, Math.ceil(perMs));
  const amount = perMs < SHORTEST_WINDOW_MS ? Math.floor((limit.amount * keptMs) / perMs) : limit.amount;
  return { ...limit, amount, window: ofLength(limit.window, keptMs), calledAs: windowName(limit) };
}

function lengthMs(window: SimulatedWindow): number {
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'fixed':
    case 'session':
      return window.perMs;
    case 'fixed-month':
      return MONTH_MS;
    case 'calendar':
      return UNIT_MS[window.unit];
  }
}

function ofLength(window: SimulatedWindow, perMs: number): SimulatedWindow {
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'session':
      return { kind: window.kind, perMs };
    case 'fixed':
    case 'fixed-month':
      return { kind: 'fixed', perMs, anchorAtMs: window.anchorAtMs };
    case 'calendar':
      return { kind: 'fixed', perMs, anchorAtMs: midnightAtMs(window.timeZone) };
  }
}

/** The first midnight of 2026 in a zone. */
function midnightAtMs(timeZone: string): number {
  return periodAt({ kind: 'calendar', unit: 'day', timeZone }, NEW_YEAR_2026_AT_MS + DAY_MS / 2).startMs;
}
