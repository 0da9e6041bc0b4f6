/** When a limit gives something back: the next instant that can be named, and what happens then. */
import type { LimitUse } from '../../app/progress.ts';
import { type AlignedWindow, windowEndMs } from '../../core/quota/window.ts';
import { clockTime, untilText } from '../text/quantity.ts';

/** What is next on a limit's clock. `atMs` is `null` where nothing is counted and so nothing is due. */
export interface NextReset {
  readonly word: string;
  readonly atMs: number | null;
}

/**
 * - rolling: some of what was used frees;
 * - refill: the bucket is full again, if nothing more is taken;
 * - fixed, calendar: the window ends, whether or not anything is counted in it;
 * - session: the one that is open ends.
 */
export function nextReset(limit: LimitUse, nowMs: number): NextReset {
  const { windowKind, used, amount, perMs, freesAtMs } = limit;
  if (windowKind === 'refill') {
    return used === 0 || perMs === null
      ? { word: 'refills continuously', atMs: null }
      : { word: 'full', atMs: nowMs + Math.ceil((used * perMs) / amount) };
  }
  const aligned = alignedWindow(limit);
  if (aligned !== null) return { word: 'resets', atMs: freesAtMs ?? windowEndMs(aligned, nowMs) };
  if (windowKind === 'session') {
    return used === 0
      ? { word: 'opens with a call', atMs: null }
      : { word: freesAtMs === null ? 'opens with the call under way' : 'ends', atMs: freesAtMs };
  }
  return used === 0
    ? { word: 'rolling', atMs: null }
    : { word: freesAtMs === null ? 'frees after the call' : 'frees', atMs: freesAtMs };
}

/** The same in words: `resets tomorrow 09:00 (in 23 h 12 min)`. */
export function resetText({ word, atMs }: NextReset, nowMs: number): string {
  return atMs === null ? word : `${word} ${untilText(atMs, nowMs)}`;
}

/** The same without how long that is. */
export function shortResetText({ word, atMs }: NextReset, nowMs: number): string {
  return atMs === null ? word : `${word} ${atMs <= nowMs ? 'now' : clockTime(atMs, nowMs)}`;
}

function alignedWindow({ windowKind, perMs, unit, timeZone, anchorAtMs }: LimitUse): AlignedWindow | null {
  if (windowKind === 'calendar' && unit !== null && timeZone !== null)
    return { kind: 'calendar', unit, timeZone };
  if (windowKind === 'fixed' && perMs !== null) return { kind: 'fixed', perMs, anchorAtMs: anchorAtMs ?? 0 };
  if (windowKind === 'fixed-month' && anchorAtMs !== null && timeZone !== null)
    return { kind: 'fixed-month', anchorAtMs, timeZone };
  return null;
}
