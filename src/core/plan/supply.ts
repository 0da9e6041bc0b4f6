/**
 * What a limit lets through: how much by the end of each segment, and how fast in the middle of one. All of it follows
 * from what is counted now and when that ends.
 */
import { windowMs } from '../quota/window.ts';
import { CLOSEST_MS, hasResets, resetsOf, type Segment } from './segments.ts';
import type { PlanLimit } from './situation.ts';

/** A bound on what is taken in consecutive segments. A window's holds in any part of it, too. */
export interface Bound {
  readonly kind: 'window' | 'flow';
  readonly firstSegment: number;
  readonly lastSegment: number;
  /** If the last segment is used to its end. */
  readonly amount: number;
  /** If nothing of the last segment is used; grows by `perMs` from there. */
  readonly atLastStart: number;
  readonly perMs: number;
}

/** The bounds that a limit puts on the segments. */
export const boundsOf = (
  limit: PlanLimit,
  segments: readonly Segment[],
  nowMs: number,
  callMs: number,
): readonly Bound[] =>
  hasResets(limit) ? boundsOfWindows(limit, segments, nowMs) : boundsOfFlow(limit, segments, nowMs, callMs);

/** A bound for each window: unused quota is gone with it. Of later windows than are looked ahead to, a rate. */
const boundsOfWindows = (limit: PlanLimit, segments: readonly Segment[], nowMs: number): readonly Bound[] => {
  const { amount, used, window } = limit;
  const resets = resetsOf(limit, nowMs);
  // One that is about to begin is as good as begun.
  const isOver = (resets[0] ?? Infinity) - nowMs < CLOSEST_MS;
  // A reset after the last cut comes some time in the segment that has no end.
  const lastStartMs = segments.at(-1)?.startMs ?? nowMs;
  const ahead = isOver ? resets.slice(1) : resets;
  const cut = ahead.filter((atMs) => atMs <= lastStartMs + 1);
  const edges = [nowMs, ...cut];
  const placesIn = (fromMs: number, untilMs: number): readonly number[] =>
    segments.flatMap(({ startMs }, place) => (startMs >= fromMs - 1 && startMs < untilMs - 1 ? [place] : []));
  return edges.flatMap((fromMs, index): readonly Bound[] => {
    const untilMs = edges[index + 1];
    const places = placesIn(fromMs, untilMs ?? Infinity);
    const [first, last] = [places[0], places.at(-1)];
    if (first === undefined || last === undefined) return [];
    const left = Math.max(0, index === 0 && !isOver ? amount - used : amount);
    const bound = {
      kind: 'window',
      firstSegment: first,
      lastSegment: last,
      amount: left,
      atLastStart: left,
      perMs: 0,
    } as const;
    if (untilMs !== undefined) return [bound];
    const perMs = amount / windowMs(window);
    return places.map((place): Bound => {
      const { startMs, endMs } = segments[place] ?? { startMs: fromMs, endMs: Infinity };
      const rateFromMs = cut.length < ahead.length ? lastStartMs : fromMs;
      const by = (atMs: number): number => left + perMs * Math.max(0, atMs - rateFromMs);
      return {
        kind: 'flow',
        firstSegment: first,
        lastSegment: place,
        amount: by(endMs),
        atLastStart: by(startMs),
        perMs: startMs < rateFromMs ? 0 : perMs,
      };
    });
  });
};

/** One bound from now to the end of each segment, and one on each later segment alone: no flow is saved up for long. */
const boundsOfFlow = (
  limit: PlanLimit,
  segments: readonly Segment[],
  nowMs: number,
  callMs: number,
): readonly Bound[] => {
  const periodMs = windowMs(limit.window) + Math.min(limit.marginMs, callMs);
  const rate = limit.amount / periodMs;
  const by = (atMs: number): number => flowBy(limit, atMs - nowMs, nowMs, periodMs);
  return segments.flatMap(({ startMs, endMs }, place): readonly Bound[] => {
    const isShort = endMs === Infinity || 2 * periodMs <= endMs - startMs;
    const atLastStart = by(startMs);
    // What comes back at the very end belongs to the next segment.
    const whole = endMs === Infinity ? Infinity : by(Math.max(startMs, endMs - limit.marginMs - 1));
    const perMs = isShort ? rate : (whole - atLastStart) / (endMs - startMs);
    const cumulative = {
      kind: 'flow',
      firstSegment: 0,
      lastSegment: place,
      amount: whole,
      atLastStart,
      perMs,
    } as const;
    if (place === 0) return [cumulative];
    const alone = {
      kind: 'flow',
      firstSegment: place,
      lastSegment: place,
      amount: limit.amount + rate * (endMs - startMs),
      atLastStart: limit.amount,
      perMs: rate,
    } as const;
    return [cumulative, alone];
  });
};

/**
 * The most that can be taken within so long from now, if it is taken as soon as it frees: what is free, what ends by
 * then, and what was taken first a period ago.
 */
const flowBy = (
  { amount, used, freeings, window }: PlanLimit,
  afterMs: number,
  nowMs: number,
  periodMs: number,
): number => {
  if (window.kind === 'refill') return Math.max(0, amount - used) + (amount / periodMs) * afterMs;
  const periods = Math.floor(afterMs / periodMs);
  const restMs = afterMs - periods * periodMs;
  const freed = freeings.reduce((sum, end) => sum + (end.atMs - nowMs <= restMs ? end.amount : 0), 0);
  return periods * amount + Math.max(0, amount - Math.max(0, used - freed));
};
