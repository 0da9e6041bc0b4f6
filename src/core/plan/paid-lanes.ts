/**
 * Which paid lane is paid for what: the cheapest that takes it, and what that one cannot do in time either goes on to the
 * next cheapest.
 */
import { cellsLeft, type LeftOver, leftByDeadline } from './by-deadline.ts';
import { canTake, limitsOf } from './demand.ts';
import type { Solve } from './linear-programme.ts';
import type { LanePlan, Share } from './plan.ts';
import type { PlanLane, Situation } from './situation.ts';
import { type SizeClass, sizeClasses } from './size-classes.ts';
import { LEAST_SHARE } from './wish-list.ts';

/** What one batch pays for, and until when that is of use. */
export interface ToPay {
  readonly left: readonly LeftOver[];
  readonly deadlineAtMs: number;
  /** Of its budget. */
  readonly leftNanoDollars: number;
}

/** What lanes are paid for. */
export interface PaidPlans {
  readonly lanes: readonly LanePlan[];
  /** What that is expected to cost, for each of those who pay. */
  readonly costsNanoDollars: readonly number[];
}

/** What each of these lanes is paid for, for any number of batches. @throws what `solve` throws. */
export const paidPlans = (
  situation: Situation,
  paidLanes: readonly PlanLane[],
  toPay: readonly ToPay[],
  solve: Solve,
): PaidPlans => {
  const placed = toPay.map((one) => placesOf(situation, paidLanes, one, solve));
  const covered = placed.map((places, index) => coveredBy(toPay[index]?.leftNanoDollars ?? 0, places));
  return {
    lanes: paidLanes.map((lane) => ({
      laneId: lane.id,
      shares: covered
        .flat()
        .filter((place) => place.lane === lane)
        .map(shareOf),
      binding: null,
      most: Infinity,
    })),
    costsNanoDollars: placed.map((places) =>
      places.reduce((sum, { lane, sizeClass, count }) => sum + costOf(lane, sizeClass) * count, 0),
    ),
  };
};

interface Place extends LeftOver {
  readonly lane: PlanLane;
}

/**
 * The most of them that so much is expected to pay for, the cheapest first. One is asked for in any case: the record knows
 * best what is left, and says so where that is too little for any.
 */
const coveredBy = (nanoDollars: number, places: readonly Place[]): readonly Place[] => {
  let left = nanoDollars;
  return places
    .toSorted((a, b) => costOf(a.lane, a.sizeClass) - costOf(b.lane, b.sizeClass))
    .flatMap((place, index): readonly Place[] => {
      const cost = costOf(place.lane, place.sizeClass);
      const covered = Math.min(place.count, cost === 0 ? Infinity : left / cost);
      left -= covered * cost;
      const count = index === 0 ? Math.max(covered, Math.min(1, place.count)) : covered;
      return count < LEAST_SHARE ? [] : [{ ...place, count }];
    });
};

const shareOf = ({ sizeClass, count }: Place): Share => ({
  sizeClass,
  now: count,
  later: 0,
  worthMs: 0,
  lossMs: 0,
  goesFirst: false,
});

/** In rounds: each lane takes what it can of that which is cheapest on it, and is not asked again. */
const placesOf = (
  situation: Situation,
  paidLanes: readonly PlanLane[],
  { left, deadlineAtMs }: ToPay,
  solve: Solve,
): readonly Place[] => {
  const places: Place[] = [];
  let lanes = paidLanes;
  let rest = left;
  for (;;) {
    const wanted = onCheapest(situation, lanes, rest);
    const asked = new Set(wanted.map(({ lane }) => lane));
    const others = lanes.filter((lane) => !asked.has(lane));
    if (asked.size === 0) break;
    rest = [...asked].flatMap((lane) => {
      const own = wanted.filter((place) => place.lane === lane);
      const isOnly = rest === left && onCheapest(situation, others, own).length === 0;
      const { done, undone } = isOnly ? all(own) : inTime({ situation, lane, own, deadlineAtMs, solve });
      places.push(...done.map((one) => ({ ...one, lane })));
      return undone;
    });
    lanes = others;
  }
  // What no lane can do in time by this reckoning may still be done, or begun by then.
  return [...places, ...onCheapest(situation, paidLanes, rest)];
};

interface Done {
  readonly done: readonly LeftOver[];
  readonly undone: readonly LeftOver[];
}

const all = (own: readonly LeftOver[]): Done => ({ done: own, undone: [] });

const inTime = ({
  situation,
  lane,
  own,
  deadlineAtMs,
  solve,
}: {
  readonly situation: Situation;
  readonly lane: PlanLane;
  readonly own: readonly LeftOver[];
  readonly deadlineAtMs: number;
  readonly solve: Solve;
}): Done => {
  const cells = own.flatMap(cellsLeft);
  const undone = leftByDeadline({ ...situation, cells, lanes: [lane] }, deadlineAtMs, solve);
  // Classes are made anew there; what they are made of stays.
  const undoneOf = new Map(undone.map(({ sizeClass, count }) => [sizeClass.cells[0], count]));
  const done = sizeClasses({ ...situation, cells, lanes: [lane] })
    .map((sizeClass) => ({
      sizeClass,
      count: sizeClass.count - (undoneOf.get(sizeClass.cells[0]) ?? 0),
    }))
    .filter(({ count }) => count > 0);
  return { done, undone };
};

/** Each class with the cheapest of these lanes that takes it; those that none takes are left out. */
const onCheapest = (
  { limits }: Situation,
  lanes: readonly PlanLane[],
  left: readonly LeftOver[],
): readonly Place[] =>
  left.flatMap(({ sizeClass, count }): readonly Place[] => {
    const [lane] = lanes
      .filter(
        (candidate) =>
          sizeClass.laneIds.includes(candidate.id) &&
          canTake(candidate, limitsOf(candidate, limits), sizeClass),
      )
      .toSorted((a, b) => costOf(a, sizeClass) - costOf(b, sizeClass));
    return lane === undefined ? [] : [{ lane, sizeClass, count }];
  });

/** What one request is expected to cost there, in nano-dollars. */
const costOf = ({ price }: PlanLane, { promptTokens, answerTokens }: SizeClass): number =>
  price === undefined
    ? 0
    : (promptTokens * price.inputNanoDollarsPerMillion + answerTokens * price.outputNanoDollarsPerMillion) /
        1_000_000 +
      price.requestNanoDollars;
