/** What a request of a class would take on a lane, and whether the lane can take it at all. */
import type { Metric, TokenEstimate } from '../model.ts';
import { thousandthsOf } from '../quota/unit-cost.ts';
import type { BacklogCell, PlanLane, PlanLimit } from './situation.ts';
import type { Share } from './plan.ts';
import type { SizeClass } from './size-classes.ts';

/** What of requests decides whether a lane can take them; of a cell the largest of them. */
export type RequestSize = Pick<BacklogCell, 'outputIsAsked' | 'capTokens' | 'largestTokens'>;

/**
 * What the call is expected to take of a limit when all is said, failed attempts and what is left over beside it
 * included: at the end of a window there is room for less than a call, half of what one reserves on average. A token
 * bucket keeps what is left over.
 */
export const expectedUse = (
  { metric, window, amount }: PlanLimit,
  lane: PlanLane,
  sizeClass: SizeClass,
): number => {
  const attempts = 1 / (1 - lane.failureShare);
  const outputTokens = Math.min(sizeClass.answerTokens, lane.maxOutputTokens);
  const use = amountOf(
    metric,
    { promptTokens: sizeClass.promptTokens * lane.tokenRatio, outputTokens },
    lane,
  );
  if (metric === 'requests' || window.kind === 'refill') return attempts * use;
  const reserved = amountOf(
    metric,
    {
      promptTokens: sizeClass.promptTokens * lane.tokenRatioAtMost,
      outputTokens: Math.min(sizeClass.capTokens, lane.maxOutputTokens),
    },
    lane,
  );
  return attempts * use * (1 + Math.min(reserved / amount, 1) / 2);
};

/** The limits that a lane's calls count in. */
export const limitsOf = (
  { id, providerId }: Pick<PlanLane, 'id' | 'providerId'>,
  limits: readonly PlanLimit[],
): readonly PlanLimit[] => limits.filter(({ scope }) => scope === id || scope === providerId);

/** What all that is planned on a lane, now and later, is expected to take of the limit. */
export const plannedUse = (limit: PlanLimit, lane: PlanLane, shares: readonly PlannedRequests[]): number =>
  shares.reduce(
    (sum, { sizeClass, now, later }) => sum + (now + later) * expectedUse(limit, lane, sizeClass),
    0,
  );

type PlannedRequests = Pick<Share, 'sizeClass' | 'now' | 'later'>;

/** How long a slot is taken. */
export const expectedMs = ({ callMs, failureShare }: PlanLane): number => callMs / (1 - failureShare);

/** Whether every request of the class may run on the lane some time: it is served, and the largest fit. */
export const canTake = (lane: PlanLane, limits: readonly PlanLimit[], { largest }: SizeClass): boolean =>
  lane.opensAtMs !== Infinity && lane.slots >= 1 && largest.every((size) => fits(lane, limits, size));

/** Whether a request fits the lane, and every window of it when that is empty. */
export const fits = (
  lane: PlanLane,
  limits: readonly PlanLimit[],
  { outputIsAsked, capTokens, largestTokens }: RequestSize,
): boolean => {
  if (outputIsAsked && capTokens > lane.maxOutputTokens) return false;
  const outputTokens = Math.min(capTokens, lane.maxOutputTokens);
  // By its count at ingest it fits, even if the lane's tokenizer should make a little more of it; see `wished_requests`.
  const promptTokens = largestTokens * Math.min(1, lane.tokenRatioAtMost);
  if (promptTokens + outputTokens > lane.contextTokens) return false;
  return limits.every(
    (limit) => amountOf(limit.metric, { promptTokens, outputTokens }, lane) <= limit.amount,
  );
};

const amountOf = (metric: Metric, need: TokenEstimate, { unitCost }: PlanLane): number => {
  switch (metric) {
    case 'requests':
      return 1;
    case 'tokens':
      return need.promptTokens + need.outputTokens;
    case 'inputTokens':
      return need.promptTokens;
    case 'outputTokens':
      return need.outputTokens;
    case 'units':
      return thousandthsOf(unitCost, need);
  }
};
