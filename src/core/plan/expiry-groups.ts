/**
 * Instants at which requests expire, put together where a plan need not tell them apart. What is near counts to the minute,
 * and what is far off need not until it is near: the next plan tells it apart.
 */
import { CLOSEST_MS } from './segments.ts';

/**
 * For each instant the earliest of those that it is put together with: those that follow the first of them by less than this
 * share of how far off they are, or than half a minute. What has expired stays apart from what has not. From a share of 1 on
 * there are no more groups than these two.
 */
export const earliestTogether = (
  expiriesAtMs: Iterable<number>,
  nowMs: number,
  share: number,
): ReadonlyMap<number, number> => {
  const isTogether = (firstMs: number, atMs: number): boolean =>
    atMs <= nowMs || (firstMs > nowMs && atMs - firstMs < Math.max(CLOSEST_MS, (atMs - nowMs) * share));
  const earliest = new Map<number, number>();
  let firstMs: number | null = null;
  for (const atMs of [...new Set(expiriesAtMs)].toSorted((a, b) => a - b)) {
    if (firstMs === null || !isTogether(firstMs, atMs)) firstMs = atMs;
    earliest.set(atMs, firstMs);
  }
  return earliest;
};
