/**
 * The earliest finish of a night: of each priority as if there were none below it, and of as many as can be in time where
 * classes end. The programme says what one last segment makes of it; here the right one is looked for.
 */
import { SHORT_WINDOW_MS, windowMs } from '../quota/window.ts';
import { countLeft, type LeftOver, ROUNDING } from './by-deadline.ts';
import type { LinearSolution, Solve } from './linear-programme.ts';
import { type NightProgramme, nightProgramme, type ProgrammeInput } from './programme.ts';
import { CLOSEST_MS, type Cutting, segmentsOf } from './segments.ts';
import type { Situation } from './situation.ts';
import { prioritiesIn, type SizeClass } from './size-classes.ts';

/** A night that is not cut yet. */
export type WholeNight = Omit<ProgrammeInput, 'segments' | 'expiryOf'>;
/** When classes end: they have no place after that. */
type Ending = Pick<ProgrammeInput, 'expiryOf'>;

/** A night with its earliest finish. */
export interface Earliest {
  readonly night: NightProgramme;
  readonly earliest: LinearSolution;
  readonly finishAtMs: number;
  readonly undone: readonly LeftOver[];
  /** The same in requests, each of them as much as its priority weighs. */
  readonly missed: number;
}

/** The same where some go before others. */
export interface EarliestInOrder extends Earliest {
  /** By when a class is done that goes before others; `Infinity` for those that go last. */
  readonly dueOf: Ending['expiryOf'];
}

const never = (): number => Infinity;

/** What goes before others may be later than if it were alone by such a share, and by a window that counts as a rate: so inexact is a cut. */
const DUE_SLACK = 0.02;

/** Each priority is done as early as if there were none below it, and then the rest as early as that allows. @throws what `solve` throws. */
export const soonestInOrder = (whole: WholeNight, situation: Situation, solve: Solve): EarliestInOrder => {
  const { nowMs, classes } = whole;
  const dues = new Map<number, number>();
  const dueOf = ({ priority }: SizeClass): number => dues.get(priority) ?? Infinity;
  const rates = situation.limits.map(({ window }) => windowMs(window)).filter((ms) => ms <= SHORT_WINDOW_MS);
  const inexactMs = Math.max(CLOSEST_MS, ...rates);
  for (const lowest of prioritiesIn(classes).slice(0, -1)) {
    const first = { ...whole, classes: classes.filter(({ priority }) => priority >= lowest) };
    const { finishAtMs, undone } = soonestNight(first, situation, dueOf, solve);
    if (countLeft(undone) < ROUNDING)
      dues.set(lowest, finishAtMs + (finishAtMs - nowMs) * DUE_SLACK + inexactMs);
  }
  const together = { ...soonestNight(whole, situation, never, solve), dueOf: never };
  if (dues.size === 0) return together;
  const inOrder = soonestNight(whole, situation, dueOf, solve);
  return inOrder.missed > together.missed + ROUNDING ? together : { ...inOrder, dueOf };
};

/** The earliest finish by what is near; where that leaves something undone, by all that can be seen, less exactly. */
const soonestNight = (
  whole: WholeNight,
  situation: Situation,
  expiryOf: Ending['expiryOf'],
  solve: Solve,
): Earliest => {
  const near = mostInTime(cutNight(whole, situation, { expiryOf }), solve);
  if (countLeft(near.undone) < ROUNDING) return near;
  return mostInTime(cutNight(whole, situation, { expiryOf, isWhole: true }), solve);
};

/** The night cut where a situation says, and where classes end. */
export const cutNight = (
  whole: WholeNight,
  situation: Situation,
  { expiryOf, isWhole = false }: Ending & Pick<Cutting, 'isWhole'>,
): ProgrammeInput => {
  const ends = whole.classes.map(expiryOf).filter((atMs) => atMs < Infinity);
  return { ...whole, expiryOf, segments: segmentsOf(situation, { alsoAtMs: [...new Set(ends)], isWhole }) };
};

/** As many as can be done before they end; and the earliest finish of those and of what does not. @throws what `solve` throws. */
export const mostInTime = (input: ProgrammeInput, solve: Solve): Earliest => {
  const isBound = input.classes.some((sizeClass) => input.expiryOf(sizeClass) < Infinity);
  const least = isBound ? nightUntil(input, input.segments.length - 1, solve).missed : 0;
  return earliestFinish(input, solve, least);
};

/** The first segment in which all can be done but for what cannot be helped, found by halving. */
const earliestFinish = (input: ProgrammeInput, solve: Solve, leastMissed: number): Earliest => {
  const at = (lastSegment: number): Earliest => nightUntil(input, lastSegment, solve);
  let [low, high] = [0, input.segments.length - 1];
  let best: Earliest | null = null;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = at(middle);
    if (found.missed > leastMissed + ROUNDING) low = middle + 1;
    else {
      best = found;
      high = middle;
    }
  }
  return best ?? at(low);
};

/** The earliest finish in that segment. */
const nightUntil = (input: ProgrammeInput, lastSegment: number, solve: Solve): Earliest => {
  const night = nightProgramme(input, lastSegment);
  const earliest = solve(night.programme);
  const lengthMs = (earliest.values[night.lengthColumn] ?? 0) * 1_000;
  const undone = input.classes
    .map((sizeClass, index) => ({ sizeClass, count: earliest.values[night.lengthColumn + 1 + index] ?? 0 }))
    .filter(({ count }) => count > ROUNDING / input.classes.length);
  const missed = night.weights.reduce(
    (sum, weight, index) => sum + weight * (earliest.values[night.lengthColumn + 1 + index] ?? 0),
    0,
  );
  return {
    night,
    earliest,
    finishAtMs: (input.segments[lastSegment]?.startMs ?? 0) + lengthMs,
    undone,
    missed,
  };
};
