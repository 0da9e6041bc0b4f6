/** Fixed and calendar windows: a sum that starts again at each boundary. */
import type { Count } from './count.ts';
import type { Period, PeriodWindow } from './periods.ts';
import { periodAt, periodsFrom } from './periods.ts';

/** A count per period. What settles after its period has ended changes nothing any more. */
export function periodCount(firstAmount: number, window: PeriodWindow): Count {
  let limitAmount = firstAmount;
  let period: Period = { startMs: 0, endMs: Number.NEGATIVE_INFINITY };
  let used = 0;

  const turn = (nowMs: number) => {
    if (nowMs < period.endMs) return;
    period = periodAt(window, nowMs);
    used = 0;
  };

  return {
    usedAt(nowMs) {
      turn(nowMs);
      return used;
    },
    take(amount, nowMs) {
      turn(nowMs);
      used += amount;
      return { amount, atMs: nowMs };
    },
    settle(charge, actual, nowMs) {
      turn(nowMs);
      if (charge.atMs >= period.startMs) used += actual - charge.amount;
      charge.amount = actual;
    },
    resize(amount) {
      limitAmount = amount;
    },
    waitMs(amount, nowMs) {
      turn(nowMs);
      if (amount > limitAmount) return Number.POSITIVE_INFINITY;
      return used + amount <= limitAmount ? 0 : period.endMs - nowMs;
    },
    untilUnusedMs(nowMs) {
      turn(nowMs);
      return used === 0 ? 0 : period.endMs - nowMs;
    },
    windowsFrom: (firstMs, nowMs) => periodsFrom(window, firstMs, nowMs),
  };
}
