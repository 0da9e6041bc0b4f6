/**
 * Sessions: the first call after the one before has ended opens the next, which lasts `perMs` from that call on.
 * A call exactly at the end opens a new one. While none is open nothing is used, for however long that is.
 */
import type { Count } from './count.ts';

/** A count per session. What settles after its session has ended changes nothing any more. */
export function sessionCount(firstAmount: number, perMs: number): Count {
  let limitAmount = firstAmount;
  let startMs = Number.NEGATIVE_INFINITY;
  let used = 0;

  const isOpen = (nowMs: number) => nowMs < startMs + perMs;
  const usedAt = (nowMs: number) => (isOpen(nowMs) ? used : 0);

  return {
    usedAt,
    take(amount, nowMs) {
      if (!isOpen(nowMs)) {
        startMs = nowMs;
        used = 0;
      }
      used += amount;
      return { amount, atMs: nowMs };
    },
    settle(charge, actual) {
      if (charge.atMs >= startMs) used += actual - charge.amount;
      charge.amount = actual;
    },
    resize(amount) {
      limitAmount = amount;
    },
    waitMs(amount, nowMs) {
      if (amount > limitAmount) return Number.POSITIVE_INFINITY;
      return usedAt(nowMs) + amount <= limitAmount ? 0 : startMs + perMs - nowMs;
    },
    untilUnusedMs: (nowMs) => (usedAt(nowMs) === 0 ? 0 : startMs + perMs - nowMs),
    windowsFrom: (firstMs, nowMs) => Math.floor((nowMs - firstMs) / perMs) + 1,
  };
}
