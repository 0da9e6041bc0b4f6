/** The question of a forecast as one situation: what stands there already, and the lines of the input besides. */
import { situationUntil } from '../../core/plan/forecast.ts';
import { canTake, limitsOf } from '../../core/plan/demand.ts';
import { isFree, withoutMoney } from '../../core/plan/payments.ts';
import { sizeClasses } from '../../core/plan/size-classes.ts';
import type { LeftOver } from '../../core/plan/by-deadline.ts';
import type { BatchTerms } from '../../core/batch-terms.ts';
import { type NightWindow, opensAtMs } from '../../core/night-window.ts';
import type { Provider } from '../../core/model.ts';
import type { BacklogCell, PlanRoute, Situation } from '../../core/plan/situation.ts';
import type { MeasuredInput } from '../measure-input.ts';
import type { Planner } from '../planning.ts';

/** What forecasting needs. */
export interface ForecastTools {
  readonly planner: Planner;
  /** What is left at an instant; see `leftByDeadline`. */
  readonly leftBy: (situation: Situation, deadlineAtMs: number) => Promise<readonly LeftOver[]>;
  /** Told how many of how many plans are made. */
  readonly tell: (made: number, all: number) => void;
  readonly signal: AbortSignal;
}

/** A provider that is not on. */
export interface Candidate {
  readonly provider: Provider;
  /** The lanes that a name would stand for if it were on as well. */
  readonly laneIdsOf: (name: string) => readonly string[];
}

/** What is asked. */
export interface ForecastQuestion {
  /** Those who serve as they stand, and what waits for them already. */
  readonly situation: Situation;
  readonly measured: MeasuredInput;
  /** The batch in progress that this input is; its lines are in the situation. `null`: it is a new one. */
  readonly batchId: number | null;
  /** The lanes that a name stands for. */
  readonly laneIdsOf: (name: string) => readonly string[];
  /** The lanes of `--pool all` under the same policy. */
  readonly allLaneIds: readonly string[];
  readonly candidates: readonly Candidate[];
  /** Whether a candidate would be the only one on: where nothing is on here, the situation has all of them together. */
  readonly candidatesStandAlone: boolean;
  /** What the batch goes by, or would. */
  readonly terms: BatchTerms;
}

/** A night to be planned, and what of it is the input's. */
export interface Night {
  /** All that is done by the time the input is. */
  readonly situation: Situation;
  /** Of the input in the situation. */
  readonly batchId: number;
  /** The hours of the input. */
  readonly nightWindow: NightWindow | null;
  /** Lines of other batches, done by then or not. */
  readonly linesOfOthers: number;
  /** Lines of the input that only paid lanes can take, and that its budget pays for. They are not in the situation. */
  readonly paidOnly: readonly BacklogCell[];
  readonly isOwnRoute: (route: PlanRoute) => boolean;
  readonly isOwn: (cell: BacklogCell) => boolean;
  /** The name that a route of the input stands for; `null` for routes of others, and where a batch has several names. */
  readonly nameOf: (route: PlanRoute) => string | null;
}

/** The batch of an input that the record does not know; real ones begin with 1. */
export const NEW_BATCH_ID = 0;

/** The question as one situation. */
export const nightOf = ({ situation, measured, batchId, laneIdsOf, terms }: ForecastQuestion): Night => {
  const firstId = Math.max(0, ...situation.routes.map(({ id }) => id)) + 1;
  const names = batchId === null ? [...measured.cells.keys()] : [];
  const routes = names.map((name, index): PlanRoute => ({
    id: firstId + index,
    batchId: NEW_BATCH_ID,
    priority: terms.priority,
    laneIds: laneIdsOf(name),
  }));
  const cells = names.flatMap((name, index) =>
    (measured.cells.get(name) ?? []).map((cell) => ({ ...cell, routeId: firstId + index })),
  );
  const ownBatchId = batchId ?? NEW_BATCH_ID;
  const isOwnRoute = (route: PlanRoute): boolean => route.batchId === ownBatchId;
  const whole = {
    ...situation,
    routes: [...situation.routes, ...routes].map((route) =>
      isOwnRoute(route) ? { ...route, priority: terms.priority } : route,
    ),
    cells: [...situation.cells, ...cells],
    lanes: fromOpening(situation.lanes, terms.nightWindow, situation.nowMs),
  };
  const ownIds = new Set(whole.routes.filter(isOwnRoute).map(({ id }) => id));
  const paidOnly = new Set(onlyPaidFor(whole).filter(({ routeId }) => ownIds.has(routeId)));
  // The record knows the lanes of a batch's routes, and no longer which name they stood for.
  const onlyName = measured.cells.size === 1 ? ([...measured.cells.keys()][0] ?? null) : null;
  const cellsOfOthers = whole.cells.filter(({ routeId }) => !ownIds.has(routeId));
  return {
    // Nobody wants to be told what money could do.
    situation: situationUntil(
      withoutMoney({ ...whole, cells: whole.cells.filter((cell) => !paidOnly.has(cell)) }),
      ownBatchId,
    ),
    paidOnly: [...paidOnly],
    batchId: ownBatchId,
    nightWindow: terms.nightWindow,
    linesOfOthers: countOf(cellsOfOthers),
    isOwnRoute,
    isOwn: ({ routeId }) => ownIds.has(routeId),
    nameOf: (route) =>
      batchId === null ? (names[route.id - firstId] ?? null) : isOwnRoute(route) ? onlyName : null,
  };
};

/** What no lane can take that costs nothing, but one that costs money. */
const onlyPaidFor = (situation: Situation): readonly BacklogCell[] =>
  sizeClasses(situation).flatMap((sizeClass) => {
    const takers = situation.lanes.filter(
      (lane) =>
        sizeClass.laneIds.includes(lane.id) && canTake(lane, limitsOf(lane, situation.limits), sizeClass),
    );
    return takers.length > 0 && takers.every((lane) => !isFree(lane)) ? sizeClass.cells : [];
  });

/** The lanes as they are for a batch with these hours: before its night begins none takes its lines. */
export const fromOpening = (
  lanes: Situation['lanes'],
  nightWindow: NightWindow | null,
  nowMs: number,
): Situation['lanes'] => {
  const beginsAtMs = opensAtMs(nightWindow, nowMs);
  if (beginsAtMs === nowMs) return lanes;
  return lanes.map((lane) => ({ ...lane, opensAtMs: Math.max(lane.opensAtMs, beginsAtMs) }));
};

/** Requests of these cells. */
export const countOf = (cells: readonly { readonly count: number }[]): number =>
  cells.reduce((sum, { count }) => sum + count, 0);
