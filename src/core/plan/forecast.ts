/**
 * When each batch will be done. A plan says when the last of what it was made from is answered; so a batch is done when a
 * plan says of it and of all that goes before it or beside it: batches of higher priority, and of its equals as much as it
 * has itself, since equal ones share fairly.
 */
import { SHORT_WINDOW_MS, windowMs } from '../quota/window.ts';
import { expectedMs } from './demand.ts';
import type { Plan } from './plan.ts';
import { hasResets, resetsOf } from './segments.ts';
import type { BacklogCell, PlanLimit, PlanRoute, Situation } from './situation.ts';
import type { SizeClass } from './size-classes.ts';

/** When a batch will be done, as it was last reckoned. */
export interface Forecast {
  readonly madeAtMs: number;
  /** `null` where nobody can tell: what is left waits for a person, or longer than can be seen. */
  readonly finishAtMs: number | null;
  /** It is done within so much of `finishAtMs`, as far as forecasts have been right before. */
  readonly spreadMs: number;
  /** Some of its lanes have not shown how long their calls take. */
  readonly isGuess?: true;
  /** The next reset or opening that the rest of the batch waits for; `null` where there is none. */
  readonly next: { readonly scope: string; readonly atMs: number } | null;
}

/** Forecasts by batch id. */
export type Forecasts = ReadonlyMap<number, Forecast>;

/** A plan by the batch with which all that it plans is done. */
export type PlansByBatch = ReadonlyMap<number, Plan>;

/** What is uncertain of a rest whose answers are known, and what more where they are not, or where batches share. */
const SPREAD_SHARE = 0.05;
const UNKNOWN_ANSWERS_SHARE = 0.15;
const UNKNOWN_CALLS_SHARE = 1;
const SHARING_SHARE = 0.05;
const LEAST_SPREAD_MS = 60_000;
/** The spread of a forecast that turned out wrong halves in this long, unless it is wrong again. */
const DISTRUST_HALVES_MS = 600_000;
/** What of a class is left undone by less than this share, or by less than this part of a request, is rounding. */
const ROUNDING_SHARE = 1e-3;
const LEAST_UNDONE = 0.01;
/** A window of which so much is used makes its lanes wait. */
const NEARLY_ALL = 0.95;

/** Batches of which something waits, in the order in which they will be done. The last is done with all the others. */
export const finishingOrder = (situation: Situation): readonly number[] =>
  restsOf(situation)
    .filter(({ cells }) => cells.length > 0)
    .toSorted((a, b) => b.priority - a.priority || a.tokens - b.tokens)
    .map(({ batchId }) => batchId);

/** The situation with just what is done by the time the batch is. */
export const situationUntil = (situation: Situation, batchId: number): Situation => {
  const rests = restsOf(situation);
  const own = rests.find((rest) => rest.batchId === batchId);
  if (own === undefined) return { ...situation, cells: [] };
  const cells = rests.flatMap((rest): readonly BacklogCell[] => {
    if (rest.priority !== own.priority) return rest.priority > own.priority ? rest.cells : [];
    return rest.tokens <= own.tokens
      ? rest.cells
      : rest.cells.map((cell) => partOf(cell, own.tokens / rest.tokens));
  });
  return { ...situation, cells };
};

const partOf = (cell: BacklogCell, share: number): BacklogCell => ({
  ...cell,
  count: cell.count * share,
  promptTokens: cell.promptTokens * share,
});

/** What forecasts are made from. */
export interface ForecastGrounds {
  readonly situation: Situation;
  /** Of {@link situationUntil}; a batch without a plan of its own is done with the next one that has one. */
  readonly plans: PlansByBatch;
  /** What was said before, by which the spread learns. */
  readonly before: Forecasts;
}

/** A forecast of every batch that has a route in the situation. */
export const forecastsOf = ({ situation, plans, before }: ForecastGrounds): Forecasts => {
  const order = finishingOrder(situation);
  const payments = [...plans.values()].flatMap((plan) => plan.payments);
  const planOf = (batchId: number): Plan | undefined => {
    const place = order.indexOf(batchId);
    const others = place < 0 ? [] : order.slice(place).map((id) => plans.get(id));
    return others.find((plan) => plan !== undefined);
  };
  return new Map(
    restsOf(situation).map((rest): [number, Forecast] => [
      rest.batchId,
      forecastOf(rest, situation, planOf(rest.batchId), {
        isSharing: order.length > 1,
        isPaidFor: payments.some(
          ({ batchId, requests, isCovered }) => batchId === rest.batchId && requests > 0 && isCovered,
        ),
        before: before.get(rest.batchId),
      }),
    ]),
  );
};

/** What is left of a batch. */
interface Rest {
  readonly batchId: number;
  readonly priority: number;
  readonly routes: readonly PlanRoute[];
  readonly cells: readonly BacklogCell[];
  readonly tokens: number;
}

const restsOf = ({ cells, routes }: Situation): readonly Rest[] =>
  [...Map.groupBy(routes, ({ batchId }) => batchId)].map(([batchId, own]) => {
    const ids = new Set(own.map(({ id }) => id));
    const waiting = cells.filter(({ routeId, count }) => ids.has(routeId) && count > 0);
    return {
      batchId,
      priority: own[0]?.priority ?? 0,
      routes: own,
      cells: waiting,
      tokens: waiting.reduce((sum, cell) => sum + cell.promptTokens + cell.count * cell.capTokens, 0),
    };
  });

interface Circumstances {
  /** Others wait, too. */
  readonly isSharing: boolean;
  /** What lanes that cost nothing leave undone is done for money. */
  readonly isPaidFor: boolean;
  readonly before: Forecast | undefined;
}

const forecastOf = (
  rest: Rest,
  situation: Situation,
  plan: Plan | undefined,
  { isSharing, isPaidFor, before }: Circumstances,
): Forecast => {
  const { nowMs } = situation;
  const finishAtMs = isPaidFor || !isStuck(rest, plan) ? finishOf(rest, situation, plan) : null;
  const knowsAnswers = situation.answers.some(({ batchId }) => batchId === rest.batchId);
  const used = (plan?.lanes ?? []).filter(isUsed).map(({ laneId }) => laneId);
  const isGuess = situation.lanes.some(({ id, guess }) => guess !== undefined && used.includes(id));
  const share =
    SPREAD_SHARE +
    (knowsAnswers ? 0 : UNKNOWN_ANSWERS_SHARE) +
    (isGuess ? UNKNOWN_CALLS_SHARE : 0) +
    (isSharing ? SHARING_SHARE : 0);
  return {
    madeAtMs: nowMs,
    finishAtMs,
    spreadMs: finishAtMs === null ? 0 : spreadOf(nowMs, finishAtMs, share, before),
    ...(isGuess ? { isGuess } : {}),
    next: nextWait(rest, situation, plan, finishAtMs ?? Infinity),
  };
};

/** The last call takes its time after the last grant. */
const finishOf = (rest: Rest, { nowMs, lanes }: Situation, plan: Plan | undefined): number | null => {
  const used = rest.cells.length === 0 ? [] : (plan?.lanes ?? []).filter(isUsed).map(({ laneId }) => laneId);
  const callMs = Math.max(0, ...lanes.filter(({ id }) => used.includes(id)).map(expectedMs));
  if (rest.cells.length === 0) return nowMs + Math.max(0, ...lanesOf(rest, lanes).map(expectedMs));
  if (plan === undefined || plan.finishAtMs === null) return null;
  return plan.finishAtMs + callMs;
};

const isUsed = ({ shares }: Plan['lanes'][number]): boolean =>
  shares.some(({ now, later }) => now + later > 0);

const lanesOf = ({ routes }: Rest, lanes: Situation['lanes']): Situation['lanes'] =>
  lanes.filter(
    ({ id, opensAtMs }) => opensAtMs < Infinity && routes.some(({ laneIds }) => laneIds.includes(id)),
  );

/** Whether some of it has no lane, or none within the time that can be seen. */
const isStuck = ({ routes, cells }: Rest, plan: Plan | undefined): boolean => {
  if (plan === undefined || cells.length === 0) return false;
  const ids = new Set(routes.map(({ id }) => id));
  const isOwn = (sizeClass: SizeClass): boolean => sizeClass.cells.some(({ routeId }) => ids.has(routeId));
  const isLeft = plan.undone.some(
    ({ sizeClass, count }) =>
      count > Math.max(LEAST_UNDONE, sizeClass.count * ROUNDING_SHARE) && isOwn(sizeClass),
  );
  return isLeft || plan.unplannable.some(isOwn);
};

/**
 * A share of the rest, but no less than it has just moved, nor much less than it was said to be, unless that was a guess; of
 * those two no more than there is left.
 */
const spreadOf = (nowMs: number, finishAtMs: number, share: number, before: Forecast | undefined): number => {
  const own = Math.max(LEAST_SPREAD_MS, (finishAtMs - nowMs) * share);
  if (before === undefined || before.finishAtMs === null || before.isGuess === true) return own;
  const movedMs = Math.abs(finishAtMs - before.finishAtMs);
  const remembered = before.spreadMs * 0.5 ** ((nowMs - before.madeAtMs) / DISTRUST_HALVES_MS);
  return Math.max(own, Math.min(Math.max(movedMs, remembered), finishAtMs - nowMs));
};

type Wait = NonNullable<Forecast['next']>;

/** The first opening of one of its lanes, or reset of a long window that binds one or is used up, before it is done. */
const nextWait = (
  rest: Rest,
  { lanes, limits, nowMs }: Situation,
  plan: Plan | undefined,
  finishAtMs: number,
): Wait | null => {
  if (rest.cells.length === 0) return null;
  const own = lanesOf(rest, lanes);
  const openings = own.map(({ id, opensAtMs }): Wait => ({ scope: id, atMs: opensAtMs }));
  const binding = (plan?.lanes ?? []).flatMap((lane) =>
    lane.binding !== null && own.some(({ id }) => id === lane.laneId) ? [lane.binding] : [],
  );
  const usedUp = limits.filter(
    (limit) => isUsedUp(limit) && own.some(({ id, providerId }) => [id, providerId].includes(limit.scope)),
  );
  const resets = [...binding, ...usedUp].flatMap((limit): readonly Wait[] => {
    const atMs = nextReset(limit, nowMs);
    return atMs === undefined ? [] : [{ scope: limit.scope, atMs }];
  });
  const waits = [...openings, ...resets].filter(({ atMs }) => atMs > nowMs && atMs < finishAtMs);
  return waits.toSorted((a, b) => a.atMs - b.atMs)[0] ?? null;
};

const isUsedUp = ({ used, amount }: PlanLimit): boolean => used >= amount * NEARLY_ALL;

/** When a long window has more again. One that rolls has always some, unless it is used up. */
const nextReset = (limit: PlanLimit, nowMs: number): number | undefined => {
  if (windowMs(limit.window) <= SHORT_WINDOW_MS) return undefined;
  if (hasResets(limit)) return resetsOf(limit, nowMs)[0];
  return isUsedUp(limit) ? limit.freeings[0]?.atMs : undefined;
};
