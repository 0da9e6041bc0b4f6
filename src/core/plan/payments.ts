/**
 * What is paid for: of batches with a budget what lanes that cost nothing leave undone by the deadline, or can never do;
 * nothing else. Of all ways to be done in time the one is chosen that leaves the least to pay. The budget is the record's
 * business: it grants no call that could exceed it, whatever is planned.
 */
import { SHORT_WINDOW_MS, windowMs } from '../quota/window.ts';
import { cellsLeft, inFull, leftByDeadline, requestsLeft } from './by-deadline.ts';
import { situationUntil } from './forecast.ts';
import type { Solve } from './linear-programme.ts';
import { paidPlans } from './paid-lanes.ts';
import type { LanePlan } from './plan.ts';
import type { BacklogCell, PlanLane, Situation } from './situation.ts';
import { type SizeClass, sizeClasses } from './size-classes.ts';

/** What one batch may pay for now. */
export interface Payment {
  readonly batchId: number;
  /** So many requests. */
  readonly requests: number;
  /** What is left of the budget covers what these are expected to cost. */
  readonly isCovered: boolean;
}

/** Payments, and which lanes are to be paid for what. */
export interface PaidWork {
  /** Of every batch with a budget, also where it is nothing. */
  readonly payments: readonly Payment[];
  readonly lanes: readonly LanePlan[];
  /** Where what they are for waits, whether or not the money is enough for it: no paid lane takes more of that by itself. */
  readonly routeIds: readonly number[];
}

/** Whether calls on the lane cost nothing. */
export const isFree = ({ price }: PlanLane): boolean => price === undefined;

/** The situation as if nothing could be paid for: requests that may be paid for are like all others. */
export const withoutMoney = (situation: Situation): Situation => {
  const paidIds = new Set(situation.lanes.filter((lane) => !isFree(lane)).map(({ id }) => id));
  return {
    ...situation,
    lanes: situation.lanes.filter(isFree),
    routes: situation.routes.map(({ pays: _pays, laneIdsSoon, ...route }) => ({
      ...route,
      laneIds: route.laneIds.filter((id) => !paidIds.has(id)),
      ...(laneIdsSoon === undefined ? {} : { laneIdsSoon: laneIdsSoon.filter((id) => !paidIds.has(id)) }),
    })),
  };
};

/** @throws what `solve` throws. */
export const paidWork = (situation: Situation, solve: Solve): PaidWork => {
  const paidLanes = situation.lanes.filter((lane) => !isFree(lane));
  const batches = Map.groupBy(
    situation.routes.filter(({ pays }) => pays !== undefined),
    ({ batchId }) => batchId,
  );
  const free = recovered(withoutMoney(situation));
  const toPay = [...batches].map(([batchId, routes]) => {
    const ids = new Set(routes.map(({ id }) => id));
    const isOwn = ({ routeId }: BacklogCell): boolean => ids.has(routeId);
    const deadlineAtMs = routes[0]?.pays?.deadlineAtMs ?? Infinity;
    const leftNanoDollars = routes[0]?.pays?.leftNanoDollars ?? 0;
    const before = situationUntil(free, batchId);
    const all = before.cells.some(isOwn)
      ? leftByDeadline(before, deadlineAtMs, solve, worthAmong(before.cells))
      : [];
    // Those of others who are like them are not paid for.
    const own = all.flatMap(cellsLeft).filter(isOwn);
    const left = sizeClasses({ ...situation, cells: own }).map(inFull);
    return { batchId, deadlineAtMs, leftNanoDollars, left };
  });
  const { lanes, costsNanoDollars } = paidPlans(situation, paidLanes, toPay, solve);
  return {
    payments: toPay.map(({ batchId, left: own, leftNanoDollars }, index) => ({
      batchId,
      requests: requestsLeft(own, () => true),
      isCovered: (costsNanoDollars[index] ?? 0) <= leftNanoDollars,
    })),
    lanes,
    routeIds: [
      ...new Set(toPay.flatMap(({ left }) => left.flatMap(cellsLeft)).map(({ routeId }) => routeId)),
    ],
  };
};

/** A lane on which nobody makes calls now is not gone: its worker is started again, or is another run's. */
const COMES_BACK_MS = 5 * 60_000;

/**
 * The situation as it will be before long. Whoever makes calls on a lane comes back, so long a deadline has to be near before
 * money replaces that lane; and limits of short windows that refusals have lowered are tried again within minutes. If that is wrong,
 * what is left at the deadline grows with every plan, and is paid for then.
 */
const recovered = (situation: Situation): Situation => ({
  ...situation,
  limits: situation.limits.map((limit) =>
    windowMs(limit.window) <= SHORT_WINDOW_MS ? { ...limit, amount: limit.declared ?? limit.amount } : limit,
  ),
  lanes: situation.lanes.map(({ awaySlots, ...lane }) =>
    awaySlots === undefined
      ? lane
      : {
          ...lane,
          slots: awaySlots,
          opensAtMs: Math.max(lane.opensAtMs, situation.nowMs + COMES_BACK_MS),
        },
  ),
});

/** Tokens of the answer cost some four times those of the prompt; a request of the mean size is worth 1. */
const OUTPUT_WEIGHT = 4;
const LEAST_WORTH = 0.01;
const MOST_WORTH = 100;

const worthAmong = (cells: readonly BacklogCell[]): ((sizeClass: SizeClass) => number) => {
  const count = cells.reduce((sum, cell) => sum + cell.count, 0);
  const tokens = cells.reduce(
    (sum, cell) => sum + cell.promptTokens + cell.count * cell.capTokens * OUTPUT_WEIGHT,
    0,
  );
  return ({ promptTokens, capTokens }) => {
    const worth = ((promptTokens + capTokens * OUTPUT_WEIGHT) * count) / Math.max(1, tokens);
    return Math.min(MOST_WORTH, Math.max(LEAST_WORTH, worth));
  };
};
