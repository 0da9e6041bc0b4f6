/** Lanes go slowly at the beginning of a night, until it is known how quick the others are. */
import { SHORT_WINDOW_MS, windowMs } from '../quota/window.ts';
import { limitsOf } from './demand.ts';
import type { LanePlan } from './plan.ts';
import type { PlanLimit, Situation } from './situation.ts';

/** Where there is more time than this, some of it may be spent on waiting. */
const LONG_NIGHT_MS = 600_000;

/**
 * The same plans of lanes, some of which take only so many requests until the next. Quota that does not come back within minutes
 * is soon used up, and what for hangs on how quick the other lanes are. So a lane that has it makes one call, to be heard of, and
 * then waits until every lane that was called has answered once. Where all is known, or time is short until the night is over or
 * something is due, there is no such bound; nor on a lane whose pace is set by a limit that does come back: what it lets pass
 * is lost, and what lasts is enough for the night.
 */
export const boundUntilAnswers = (
  plans: readonly LanePlan[],
  { nowMs, lanes, limits }: Pick<Situation, 'nowMs' | 'lanes' | 'limits'>,
  endsAtMs: number,
): readonly LanePlan[] => {
  const isAwaiting = lanes.some(({ guess }) => guess === 'awaited');
  const isAllUnknown = lanes.every(({ guess }) => guess !== undefined);
  if (endsAtMs - nowMs <= LONG_NIGHT_MS || !(isAwaiting || isAllUnknown)) return plans;
  const bounded = new Map(
    lanes
      .filter((lane) => limitsOf(lane, limits).some(isLasting))
      .map(({ id, guess }) => [id, guess === 'untold' ? 1 : 0]),
  );
  return plans.map((plan) => {
    const isPaced = plan.binding !== null && !isLasting(plan.binding);
    return isPaced ? plan : { ...plan, most: bounded.get(plan.laneId) ?? plan.most };
  });
};

const isLasting = ({ window }: PlanLimit): boolean => windowMs(window) > SHORT_WINDOW_MS;
