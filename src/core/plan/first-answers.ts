/** Lanes go slowly at the beginning of a night, until it is known how quick the others are. */
import { windowMs } from '../quota/window.ts';
import { limitsOf } from './demand.ts';
import { SHORT_WINDOW_MS } from './segments.ts';
import type { PlanLane, Situation } from './situation.ts';

/** In a night that lasts longer than this there is time to wait for first answers. */
const LONG_NIGHT_MS = 600_000;

/**
 * How many requests a lane takes at most until the next plan. Quota that does not come back within minutes is soon used up,
 * and what for hangs on how quick the other lanes are. So a lane that has it makes one call, to be heard of, and then waits
 * until every lane that was called has answered once. Where all is known, or the night is short, there is no such bound.
 */
export const mostUntilAnswers = (
  { nowMs, lanes, limits }: Pick<Situation, 'nowMs' | 'lanes' | 'limits'>,
  finishAtMs: number,
): ((lane: PlanLane) => number) => {
  const isAwaiting = lanes.some(({ guess }) => guess === 'awaited');
  const isAllUnknown = lanes.every(({ guess }) => guess !== undefined);
  if (finishAtMs - nowMs <= LONG_NIGHT_MS || !(isAwaiting || isAllUnknown)) return () => Infinity;
  return (lane) => {
    const isLong = limitsOf(lane, limits).some(({ window }) => windowMs(window) > SHORT_WINDOW_MS);
    if (!isLong) return Infinity;
    return lane.guess === 'untold' ? 1 : 0;
  };
};
