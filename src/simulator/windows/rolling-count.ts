/**
 * A rolling window: every charge is kept with its exact instant and is counted for `perMs` from then on.
 * A charge at `t` is counted at every instant in [t, t + perMs), so two calls exactly `perMs` apart never share
 * an interval. No buckets, no approximation.
 */
import type { Charge, Count } from './count.ts';

/** A rolling count. Memory: one entry per charge of the last `perMs`. */
export function rollingCount(firstAmount: number, perMs: number): Count {
  let limitAmount = firstAmount;
  let charges: Charge[] = [];
  let first = 0;
  let used = 0;

  const forget = (nowMs: number) => {
    for (let oldest = charges[first]; oldest && isOver(oldest, nowMs, perMs); oldest = charges[first]) {
      used -= oldest.amount;
      first += 1;
    }
    if (first > 1_024 && first * 2 > charges.length) {
      charges = charges.slice(first);
      first = 0;
    }
  };

  return {
    usedAt(nowMs) {
      forget(nowMs);
      return used;
    },
    take(amount, nowMs) {
      forget(nowMs);
      const charge = { amount, atMs: nowMs };
      charges.push(charge);
      used += amount;
      return charge;
    },
    settle(charge, actual, nowMs) {
      forget(nowMs);
      if (!isOver(charge, nowMs, perMs)) used += actual - charge.amount;
      charge.amount = actual;
    },
    resize(amount) {
      limitAmount = amount;
    },
    waitMs(amount, nowMs) {
      forget(nowMs);
      const excess = used + amount - limitAmount;
      if (excess <= 0) return 0;
      const freeingMs = freesEnoughAtMs(charges.slice(first), excess);
      return freeingMs + perMs - nowMs;
    },
    untilUnusedMs(nowMs) {
      forget(nowMs);
      const newest = charges.findLast((charge) => charge.amount > 0);
      return newest === undefined ? 0 : Math.max(0, newest.atMs + perMs - nowMs);
    },
    windowsFrom: (firstMs, nowMs) => Math.floor((nowMs - firstMs) / perMs) + 1,
  };
}

function isOver(charge: Charge, nowMs: number, perMs: number): boolean {
  return charge.atMs + perMs <= nowMs;
}

/** The instant of the charge with whose end `excess` has been given back; Infinity if all of them are not enough. */
function freesEnoughAtMs(oldestFirst: readonly Charge[], excess: number): number {
  let missing = excess;
  const last = oldestFirst.find((charge) => {
    missing -= charge.amount;
    return missing <= 0;
  });
  return last?.atMs ?? Number.POSITIVE_INFINITY;
}
