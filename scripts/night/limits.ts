/** Limits of simulated tiers, written shortly. */
import type { SimulatedLimit, SimulatedMetric } from '../../src/simulator/tier.ts';

/** A minute in ms, the window of most limits. */
export const MINUTE_MS = 60_000;
/** An hour in ms. */
export const HOUR_MS = 3_600_000;
/** A day of 24 hours in ms; calendar days are {@link daily}. */
export const DAY_MS = 86_400_000;

/** Never more than `amount` in any interval of `perMs`. */
export const rolling = (metric: SimulatedMetric, amount: number, perMs = MINUTE_MS): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'rolling', perMs },
});

/** A bucket that holds `amount` and fills in `perMs`. */
export const refill = (metric: SimulatedMetric, amount: number, perMs = MINUTE_MS): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'refill', perMs },
});

/** Windows counted from an anchor. */
export const fixed = (
  metric: SimulatedMetric,
  amount: number,
  { perMs, anchorAtMs }: { readonly perMs: number; readonly anchorAtMs: number },
): SimulatedLimit => ({ metric, amount, window: { kind: 'fixed', perMs, anchorAtMs } });

/** The day of a time zone. */
export const daily = (metric: SimulatedMetric, amount: number, timeZone: string): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'calendar', unit: 'day', timeZone },
});

/** The month of UTC. */
export const monthly = (metric: SimulatedMetric, amount: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
});

/** A window that opens with the first call. */
export const session = (metric: SimulatedMetric, amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'session', perMs },
});
