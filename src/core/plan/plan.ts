/**
 * The plan of a night: which sizes of request belong on which lane now and later, when all will be done, and what binds.
 * Found by a linear programme, first for the earliest finish, of each priority as if there were none below it, then, as early
 * as that, for the user's order of lanes. Where that is too late for some that expire, as many as can be come first.
 * Pure; made anew every few seconds from how things stand, so it may round where reality will not.
 */
import { countLeft, type LeftOver, ROUNDING } from './by-deadline.ts';
import { canTake, limitsOf, plannedUse } from './demand.ts';
import { boundUntilAnswers } from './first-answers.ts';
import { paidWork, type Payment, withoutMoney } from './payments.ts';
import { deadlineOf, OTHERS_FIRST_MS, routesWithLanesLeft, withLanesBack } from './lanes-back.ts';
import type { LinearSolution, Solve } from './linear-programme.ts';
import type { NightProgramme } from './programme.ts';
import type { PlanLane, PlanLimit, Situation } from './situation.ts';
import { mixedAmongSiblings } from './siblings.ts';
import { withoutRefuge } from './refuge.ts';
import { type SizeClass, sizeClasses } from './size-classes.ts';
import { cutNight, type Earliest, mostInTime, soonestInOrder, type WholeNight } from './soonest-night.ts';
import { LEAST_SHARE } from './wish-list.ts';

/** Requests of one class on one lane. */
export interface Share {
  readonly sizeClass: SizeClass;
  /** Before anything changes for good, and after that; fractions are meant as they are. */
  readonly now: number;
  readonly later: number;
  /** Planned now on all lanes of the provider, in whose place it may run here: see {@link mixedAmongSiblings}. Missing: nothing may. */
  readonly ofSiblings?: number;
  /** By how much one such request fewer would bring the finish forward. */
  readonly worthMs: number;
  /** By how much one that runs here now, and not where it is planned, puts it off; 0 where it is planned. */
  readonly lossMs: number;
  /** See {@link withoutRefuge}. */
  readonly goesFirst: boolean;
}

/** What a lane is for. */
export interface LanePlan {
  readonly laneId: string;
  /** All classes it may take, planned here or not. */
  readonly shares: readonly Share[];
  /** What keeps it from taking more; `null` where nothing does, or only its calls at once. */
  readonly binding: PlanLimit | null;
  /** It takes no more requests until the next plan: see {@link boundUntilAnswers}. */
  readonly most: number;
}

/** The plan of a night. */
export interface Plan {
  readonly madeAtMs: number;
  /**
   * When the last request will be done, or would be if none expired; `madeAtMs` where there is nothing to do, `null` where
   * there is no telling.
   */
  readonly finishAtMs: number | null;
  /** The instants at which it expects something to change for good, in order; what is planned for now is until the first. */
  readonly cutsAtMs: readonly number[];
  readonly lanes: readonly LanePlan[];
  /** All routes that it is about: what of them it places nowhere near a lane has a better place. */
  readonly routeIds: readonly number[];
  /** No lane can ever take these. */
  readonly unplannable: readonly SizeClass[];
  /** What batches with a budget may pay for now. */
  readonly payments: readonly Payment[];
  /** What no lane will take within the time that can be seen, of each class: their lanes are closed, or wait for a person. */
  readonly undone: readonly LeftOver[];
}

type FreePlan = Omit<Plan, 'payments'>;

/** How much later than the earliest finish a plan may be that goes by the user's order of lanes, as a share. */
const FINISH_SLACK = 0.002;

/** Makes the plan. @throws what `solve` throws. */
export const makePlan = (situation: Situation, solve: Solve): Plan => {
  const { lanes, payments, routeIds } = paidWork(withLanesBack(situation), solve);
  const unpaid = withoutMoney(expiringUnpaid(situation, payments));
  const free = freePlanInTime(unpaid, solve);
  const endsAtMs = Math.min(free.finishAtMs ?? unpaid.nowMs, ...situation.routes.map(deadlineOf));
  return {
    ...free,
    lanes: [...boundUntilAnswers(free.lanes, unpaid, endsAtMs), ...lanes],
    routeIds: [...new Set([...free.routeIds, ...routeIds])],
    payments,
  };
};

/** Where the money is too little for what is left at the deadline, that expires. */
const expiringUnpaid = (situation: Situation, payments: readonly Payment[]): Situation => {
  const unpaid = new Set(payments.flatMap(({ batchId, isCovered }) => (isCovered ? [] : [batchId])));
  return {
    ...situation,
    routes: situation.routes.map((route) => {
      const deadlineAtMs = route.pays?.deadlineAtMs ?? null;
      return deadlineAtMs === null || !unpaid.has(route.batchId)
        ? route
        : { ...route, expiresAtMs: deadlineAtMs };
    }),
  };
};

/** By the lanes that are open to each request now; or by those that come back to it, where that is done much sooner. */
const freePlanInTime = (situation: Situation, solve: Solve): FreePlan => {
  const now = freePlan(situation, solve);
  if (!putsOff(now, routesWithLanesLeft(situation))) return now;
  const back = freePlan(withLanesBack(situation), solve);
  const isSooner = (back.finishAtMs ?? Infinity) + OTHERS_FIRST_MS < (now.finishAtMs ?? Infinity);
  return isSooner || countLeft(back.undone) + LEAST_SHARE < countLeft(now.undone) ? back : now;
};

/** Whether something of these routes waits for a change. */
const putsOff = ({ lanes, undone }: FreePlan, routeIds: ReadonlySet<number>): boolean => {
  const isOfThem = ({ cells }: SizeClass): boolean => cells.some(({ routeId }) => routeIds.has(routeId));
  return (
    routeIds.size > 0 &&
    (undone.some(({ sizeClass }) => isOfThem(sizeClass)) ||
      lanes.some(({ shares }) => shares.some(({ sizeClass, later }) => later > 0 && isOfThem(sizeClass))))
  );
};

const freePlan = (situation: Situation, solve: Solve): FreePlan => {
  const { nowMs, lanes, limits, providers } = situation;
  const ownLimits = limitsByLane(lanes, limits);
  const all = sizeClasses(situation);
  const isEligible = (sizeClass: SizeClass, lane: PlanLane): boolean =>
    sizeClass.laneIds.includes(lane.id) && canTake(lane, ownLimits.get(lane.id) ?? [], sizeClass);
  const hasLane = (sizeClass: SizeClass): boolean => lanes.some((lane) => isEligible(sizeClass, lane));
  const classes = all.filter(hasLane);
  const unplannable = all.filter((sizeClass) => !hasLane(sizeClass));
  if (classes.length === 0)
    return {
      madeAtMs: nowMs,
      finishAtMs: unplannable.length === 0 ? nowMs : null,
      cutsAtMs: [],
      lanes: lanes.map((lane) => ({
        laneId: lane.id,
        shares: triesOf(lane, unplannable),
        binding: null,
        most: Infinity,
      })),
      routeIds: [],
      unplannable,
      undone: [],
    };

  const used = inUse(situation, (lane) => classes.some((sizeClass) => isEligible(sizeClass, lane)));
  const whole: WholeNight = { nowMs, classes, lanes, providers, limits, isEligible };
  const { finishAtMs, undone, dueOf, ...soonest } = soonestInOrder(whole, used, solve);
  const expiryOf = (sizeClass: SizeClass): number =>
    Math.min(sizeClass.expiresAtMs ?? Infinity, dueOf(sizeClass));
  const isTooLong = classes.some(
    ({ expiresAtMs = Infinity }) => expiresAtMs > nowMs && expiresAtMs < finishAtMs,
  );
  const { night, earliest } = isTooLong ? mostInTime(cutNight(whole, used, { expiryOf }), solve) : soonest;
  const preferred = inPreferredOrder(night, earliest, solve);
  const first = withoutRefuge(night, earliest);
  return {
    madeAtMs: nowMs,
    finishAtMs,
    cutsAtMs: night.segments.slice(1).map(({ startMs }) => startMs),
    lanes: mixedAmongSiblings(
      lanes.map((lane, index) => {
        const own = lanePlan(lane, index, { night, earliest, preferred, first });
        return { ...own, shares: [...own.shares, ...triesOf(lane, unplannable)] };
      }),
      situation,
    ),
    routeIds: [...new Set(classes.flatMap(({ cells }) => cells.map(({ routeId }) => routeId)))],
    unplannable,
    undone,
  };
};

/** Of a class that fits nowhere some requests may: whatever lane finds one that it can take, takes it. */
const triesOf = ({ id }: PlanLane, unplannable: readonly SizeClass[]): readonly Share[] =>
  unplannable
    .filter(({ laneIds }) => laneIds.includes(id))
    .map((sizeClass) => ({ sizeClass, now: 0, later: 0, worthMs: 0, lossMs: 0, goesFirst: false }));

/** What happens on lanes that nothing goes to cuts no night. */
const inUse = (situation: Situation, isUsed: (lane: PlanLane) => boolean): Situation => {
  const lanes = situation.lanes.filter(isUsed);
  const scopes = new Set(lanes.flatMap(({ id, providerId }) => [id, providerId]));
  return { ...situation, lanes, limits: situation.limits.filter(({ scope }) => scopes.has(scope)) };
};

const limitsByLane = (
  lanes: readonly PlanLane[],
  limits: readonly PlanLimit[],
): ReadonlyMap<string, readonly PlanLimit[]> =>
  new Map(lanes.map((lane) => [lane.id, limitsOf(lane, limits)]));

/** From 0 for the front of the pool to 1. */
const rankOf = ({ laneIds }: SizeClass, laneId: string): number => laneIds.indexOf(laneId) / laneIds.length;

/** The same night, as early but for a hair, with each request as near the front of its pool as that allows. */
const inPreferredOrder = (
  { programme, placements, lengthColumn }: NightProgramme,
  earliest: LinearSolution,
  solve: Solve,
): LinearSolution => {
  const undoneFrom = lengthColumn + 1;
  const lastSegment = Math.max(0, ...placements.map(({ segment }) => segment));
  const costs = programme.costs.map((cost, column) => {
    const placement = placements[column];
    if (placement === undefined) return column === lengthColumn ? 0 : cost;
    return rankOf(placement.sizeClass, placement.lane.id) + placement.segment / (lastSegment + 1);
  });
  const lengthS = earliest.values[lengthColumn] ?? 0;
  const upper = programme.upper.map((most, column) => {
    if (column === lengthColumn) return Math.min(most, lengthS * (1 + FINISH_SLACK) + 0.001);
    return column < undoneFrom ? most : (earliest.values[column] ?? 0) + ROUNDING;
  });
  return solve({ ...programme, costs, upper });
};

const lanePlan = (
  lane: PlanLane,
  laneIndex: number,
  {
    night,
    earliest,
    preferred,
    first,
  }: Pick<Earliest, 'night' | 'earliest'> & {
    readonly preferred: LinearSolution;
    readonly first: ReadonlySet<SizeClass>;
  },
): LanePlan => {
  const own = night.placements.flatMap((placement, column) =>
    placement.laneIndex === laneIndex ? [{ ...placement, column }] : [],
  );
  const asMs = (cost = 0): number => (Math.max(0, cost) / night.secondCost) * 1_000;
  const shares = [...Map.groupBy(own, ({ sizeClass }) => sizeClass)].map(([sizeClass, placed]): Share => {
    const sum = (test: (segment: number) => boolean): number =>
      placed.reduce(
        (total, { segment, column }) => total + (test(segment) ? (preferred.values[column] ?? 0) : 0),
        0,
      );
    const losses = placed.map(({ column }) => earliest.reducedCosts[column] ?? 0);
    return {
      sizeClass,
      now: sum((segment) => segment === 0),
      later: sum((segment) => segment > 0),
      worthMs: asMs(earliest.rowDuals[placed[0]?.classIndex ?? -1]),
      lossMs: asMs(losses[0]),
      goesFirst: first.has(sizeClass),
    };
  });
  return { laneId: lane.id, shares, binding: bindingLimit(lane, shares, night, earliest), most: Infinity };
};

/** The limit whose next unit would bring the finish forward most, by what the lane takes of it. */
const bindingLimit = (
  lane: PlanLane,
  shares: readonly Share[],
  { limitRows, secondCost }: NightProgramme,
  earliest: LinearSolution,
): PlanLimit | null => {
  let binding: { readonly limit: PlanLimit; readonly worth: number } | null = null;
  for (const { limit, row } of limitRows) {
    if (limit.scope !== lane.id && limit.scope !== lane.providerId) continue;
    const taken = plannedUse(limit, lane, shares);
    const worth = (-(earliest.rowDuals[row] ?? 0) / (secondCost * limit.amount)) * taken;
    if (worth > (binding?.worth ?? 1e-9)) binding = { limit, worth };
  }
  return binding?.limit ?? null;
};
