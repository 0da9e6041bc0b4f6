/**
 * A token bucket that starts full and refills continuously. The level is held in units of amount x milliseconds,
 * in which one millisecond refills exactly `limitAmount`: with whole milliseconds every sum is of integers, and
 * a client that waits exactly as long as it was told finds room.
 */
import type { Count } from './count.ts';

/** A bucket count. What is given back never lifts the level above full. */
export function refillCount(limitAmount: number, perMs: number): Count {
  const full = limitAmount * perMs;
  let level = full;
  let levelAtMs = Number.NEGATIVE_INFINITY;

  const refill = (nowMs: number) => {
    if (nowMs <= levelAtMs) return;
    if (level < full) level = Math.min(full, level + (nowMs - levelAtMs) * limitAmount);
    levelAtMs = nowMs;
  };

  return {
    usedAt(nowMs) {
      refill(nowMs);
      return (full - level) / perMs;
    },
    take(amount, nowMs) {
      refill(nowMs);
      level = Math.max(0, level - amount * perMs);
      return { amount, atMs: nowMs };
    },
    settle(charge, actual, nowMs) {
      refill(nowMs);
      level = Math.max(0, Math.min(full, level + (charge.amount - actual) * perMs));
      charge.amount = actual;
    },
    waitMs(amount, nowMs) {
      refill(nowMs);
      if (amount > limitAmount) return Number.POSITIVE_INFINITY;
      return Math.max(0, (amount * perMs - level) / limitAmount);
    },
    untilUnusedMs(nowMs) {
      refill(nowMs);
      return (full - level) / limitAmount;
    },
    windowsFrom: (firstMs, nowMs) => 1 + (nowMs - firstMs) / perMs,
  };
}
