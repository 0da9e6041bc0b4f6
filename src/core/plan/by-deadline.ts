/** How much of a night can be done by an instant. */
import { canTake, limitsOf } from './demand.ts';
import type { Solve } from './linear-programme.ts';
import { nightProgramme } from './programme.ts';
import { segmentsOf } from './segments.ts';
import type { BacklogCell, PlanLane, Situation } from './situation.ts';
import { type SizeClass, sizeClasses } from './size-classes.ts';

/** Requests of one class that are not done in time. */
export interface LeftOver {
  readonly sizeClass: SizeClass;
  /** May have a fraction; at most the class's count. */
  readonly count: number;
}

/**
 * What is left undone at `deadlineAtMs` if as many requests as can be are done by then, whichever they are: a class
 * that no lane can ever take is left in full. All of it is left where the deadline has passed. Where not all are worth the
 * same, `worthOf` says how much; it should not be far from 1.
 *
 * @throws what `solve` throws.
 */
export const leftByDeadline = (
  situation: Situation,
  deadlineAtMs: number,
  solve: Solve,
  worthOf: (sizeClass: SizeClass) => number = () => 1,
): readonly LeftOver[] => {
  const { nowMs, lanes, limits, providers } = situation;
  const isEligible = (sizeClass: SizeClass, lane: PlanLane): boolean =>
    sizeClass.laneIds.includes(lane.id) && canTake(lane, limitsOf(lane, limits), sizeClass);
  const classes = sizeClasses(situation);
  const possible = classes.filter((sizeClass) => lanes.some((lane) => isEligible(sizeClass, lane)));
  const never = classes.filter((sizeClass) => !possible.includes(sizeClass)).map(inFull);
  if (deadlineAtMs <= nowMs) return classes.map(inFull);
  if (possible.length === 0) return never;
  const near = segmentsOf(situation);
  const isInSight = (near.at(-1)?.startMs ?? nowMs) >= deadlineAtMs;
  const segments = isInSight ? near : segmentsOf(situation, { isWhole: true });
  const last = segments.findLastIndex(({ startMs }) => startMs < deadlineAtMs);
  const { programme, lengthColumn } = nightProgramme(
    { nowMs, classes: possible, lanes, providers, limits, isEligible, expiryOf: () => Infinity, segments },
    last,
  );
  const longestS = (deadlineAtMs - (segments[last]?.startMs ?? nowMs)) / SECOND_MS;
  const { values } = solve({
    ...programme,
    costs: programme.costs.map((cost, column) => {
      if (column === lengthColumn) return cost * LENGTH_WORTH;
      const sizeClass = possible[column - lengthColumn - 1];
      return sizeClass === undefined ? cost : cost * worthOf(sizeClass);
    }),
    upper: programme.upper.map((most, column) => (column === lengthColumn ? longestS : most)),
  });
  const undone = possible.map((sizeClass, index) => ({
    sizeClass,
    count: Math.max(0, values[lengthColumn + 1 + index] ?? 0),
  }));
  return [...undone, ...never].filter(({ count }) => count > ROUNDING);
};

const SECOND_MS = 1_000;
/** When it is done does not matter, as long as that is in time; but where there is no deadline, some time it is. */
const LENGTH_WORTH = 1e-3;
/** Left undone by less than this is left undone by the solver's rounding. */
export const ROUNDING = 1e-4;

/** As many requests as are left of the class, shared out evenly. */
export const cellsLeft = ({ sizeClass, count }: LeftOver): readonly BacklogCell[] =>
  sizeClass.cells.map((cell) => ({
    ...cell,
    count: (cell.count * count) / sizeClass.count,
    promptTokens: (cell.promptTokens * count) / sizeClass.count,
  }));

/** All of a class. */
export const inFull = (sizeClass: SizeClass): LeftOver => ({ sizeClass, count: sizeClass.count });

/** Requests that are left, which may be a fraction. */
export const countLeft = (left: readonly LeftOver[]): number =>
  left.reduce((sum, { count }) => sum + count, 0);

/** Whole requests among what is left that lie in these cells; a class that has others too is shared out evenly. */
export const requestsLeft = (left: readonly LeftOver[], isOwn: (cell: BacklogCell) => boolean): number =>
  Math.max(
    0,
    Math.ceil(
      left.reduce((sum, { sizeClass, count }) => sum + count * shareOf(sizeClass, isOwn), 0) - ROUNDING,
    ),
  );

/** The share of a class's requests that lie in these cells, from 0 to 1. */
export const shareOf = ({ cells, count }: SizeClass, isOwn: (cell: BacklogCell) => boolean): number =>
  cells.reduce((sum, cell) => sum + (isOwn(cell) ? cell.count : 0), 0) / count;
