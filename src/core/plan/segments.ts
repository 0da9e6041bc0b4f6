/**
 * The night cut at the instants at which something changes for good: resets of long windows, lanes that open. Between
 * two of them everything flows. Short windows are part of the flow.
 */
import { SHORT_WINDOW_MS, windowEndMs, windowMs } from '../quota/window.ts';
import type { PlanLimit, Situation } from './situation.ts';

/** Resets of a window that are looked ahead; what is later counts as a rate. */
const RESETS_AHEAD = 2;
/** More make the programme slow. */
const MOST_CUTS = 9;
/** Cuts closer together than this, or than this share of how far off they are, become one. */
export const CLOSEST_MS = 30_000;
const CLOSEST_SHARE = 0.02;

/** A stretch of the night. The last one of all has no end. */
export interface Segment {
  readonly startMs: number;
  readonly endMs: number;
}

/** Whether a limit is one whose windows begin and end at known instants that a plan goes by. */
export const hasResets = ({ window }: PlanLimit): boolean =>
  (window.kind === 'fixed' ||
    window.kind === 'calendar' ||
    window.kind === 'fixed-month' ||
    window.kind === 'session') &&
  windowMs(window) > SHORT_WINDOW_MS;

/** The next instants at which a limit with resets has its whole amount again. */
export const resetsOf = (limit: PlanLimit, nowMs: number): readonly number[] => {
  const { window, marginMs } = limit;
  if (window.kind === 'session') {
    const lengthMs = window.perMs + marginMs;
    const endMs = limit.freeings.at(-1)?.atMs ?? nowMs + lengthMs;
    return [endMs, endMs + lengthMs];
  }
  if (window.kind === 'rolling' || window.kind === 'refill') return [];
  const resets: number[] = [];
  for (let atMs = nowMs; resets.length < RESETS_AHEAD;) {
    atMs = windowEndMs(window, atMs);
    resets.push(atMs + marginMs);
  }
  return resets;
};

/** Where a night is cut, beside where a situation says. */
export interface Cutting {
  /** At these instants, too. */
  readonly alsoAtMs?: readonly number[];
  /**
   * Where there are too many cuts, those that lie closest together become one, so that whatever happens has its place.
   * Default: what is near is seen exactly, and what is beyond the last of the nearest cuts not at all.
   */
  readonly isWhole?: boolean;
}

/** The stretches from now on, the first beginning now. */
export const segmentsOf = (
  { nowMs, limits, lanes }: Situation,
  { alsoAtMs = [], isWhole = false }: Cutting = {},
): readonly Segment[] => {
  const cuts = [
    ...alsoAtMs,
    ...limits.filter(hasResets).flatMap((limit) => resetsOf(limit, nowMs)),
    ...limits.flatMap((limit) => recyclings(limit, nowMs)),
    ...lanes.map(({ opensAtMs }) => opensAtMs),
  ]
    .filter((atMs) => atMs > nowMs && atMs < Infinity)
    .toSorted((a, b) => a - b);
  const apart = cutsApart(cuts, nowMs);
  const kept = isWhole ? fewest(apart, nowMs) : apart.slice(0, MOST_CUTS);
  return [nowMs, ...kept].map((startMs, index) => ({ startMs, endMs: kept[index] ?? Infinity }));
};

/** Cuts closer together than this are one. */
const closestAt = (atMs: number, nowMs: number): number =>
  Math.max(CLOSEST_MS, (atMs - nowMs) * CLOSEST_SHARE);

/** Cuts that are close to the first of some become one, which is the last of them. */
const cutsApart = (cuts: readonly number[], nowMs: number): readonly number[] => {
  const kept: number[] = [];
  let firstMs = nowMs;
  for (const atMs of cuts) {
    const isClose = atMs - firstMs < closestAt(atMs, nowMs);
    if (isClose && kept.length > 0) kept[kept.length - 1] = atMs;
    else if (!isClose) {
      kept.push(atMs);
      firstMs = atMs;
    }
  }
  return kept;
};

/** As many as a plan may have: of the two that are closest for how far off they are the first gives way, again and again. */
const fewest = (cuts: readonly number[], nowMs: number): readonly number[] => {
  let kept = cuts;
  while (kept.length > MOST_CUTS) {
    const gaps = kept.slice(1).map((atMs, index) => (atMs - (kept[index] ?? nowMs)) / closestAt(atMs, nowMs));
    kept = kept.toSpliced(gaps.indexOf(Math.min(...gaps)), 1);
  }
  return kept;
};

/** Long rolling windows: when half of what is counted has ended, all of it, and what is taken now. */
const recyclings = ({ window, freeings, used, marginMs }: PlanLimit, nowMs: number): readonly number[] => {
  if (window.kind !== 'rolling' || window.perMs <= SHORT_WINDOW_MS) return [];
  let freed = 0;
  const half = freeings.find(({ amount }) => {
    freed += amount;
    return freed >= used / 2;
  });
  const ends = [half?.atMs, freeings.at(-1)?.atMs, nowMs + window.perMs + marginMs];
  return ends.filter((atMs) => atMs !== undefined);
};
