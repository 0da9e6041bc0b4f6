/**
 * A token bucket that starts full and refills continuously. What is missing from it is held in units of amount x
 * milliseconds, of which one millisecond refills exactly `limitAmount`: with whole milliseconds every sum is of
 * integers, and a client that waits exactly as long as it was told finds room.
 */
import type { Count } from './count.ts';

/** A bucket count. What is given back never fills it above full, and what is taken never empties it below empty. */
export function refillCount(firstAmount: number, perMs: number): Count {
  let limitAmount = firstAmount;
  let missing = 0;
  let missingAtMs = Number.NEGATIVE_INFINITY;

  const refill = (nowMs: number) => {
    if (nowMs <= missingAtMs) return;
    if (missing > 0) missing = Math.max(0, missing - (nowMs - missingAtMs) * limitAmount);
    missingAtMs = nowMs;
  };
  /** A bucket that became smaller may miss more than it holds until that has refilled. */
  const change = (by: number) => {
    missing = Math.max(0, Math.min(missing + by, Math.max(missing, limitAmount * perMs)));
  };

  return {
    usedAt(nowMs) {
      refill(nowMs);
      return missing / perMs;
    },
    take(amount, nowMs) {
      refill(nowMs);
      change(amount * perMs);
      return { amount, atMs: nowMs };
    },
    settle(charge, actual, nowMs) {
      refill(nowMs);
      change((actual - charge.amount) * perMs);
      charge.amount = actual;
    },
    resize(amount, nowMs) {
      refill(nowMs);
      limitAmount = amount;
    },
    waitMs(amount, nowMs) {
      refill(nowMs);
      if (amount > limitAmount) return Number.POSITIVE_INFINITY;
      return Math.max(0, missing - (limitAmount - amount) * perMs) / limitAmount;
    },
    untilUnusedMs(nowMs) {
      refill(nowMs);
      return missing / limitAmount;
    },
    windowsFrom: (firstMs, nowMs) => 1 + (nowMs - firstMs) / perMs,
  };
}
