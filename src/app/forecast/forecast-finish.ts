/** When the input is done, and between when and when. */
import { openTimeEnd, type OpenTimeEnd, opensAtMs } from '../../core/night-window.ts';
import { type AnswerEvidence, answerEvidence } from '../../core/plan/answer-length.ts';
import { inFull, requestsLeft } from '../../core/plan/by-deadline.ts';
import { forecastsOf } from '../../core/plan/forecast.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { withAnswerShare, withGuessedCalls } from '../../core/plan/what-if.ts';
import type { Plans } from './counted-plans.ts';
import type { ForecastFinish } from './input-forecast.ts';
import { countOf, type Night } from './night-asked-for.ts';

/** What is not known yet, at its best and at its worst: the share of their bound that answers take, and how long calls do. */
const BEST: Guesses = { answerShare: 0.15, callMs: 2_000 };
const WORST: Guesses = { answerShare: 0.7, callMs: 40_000 };

interface Guesses {
  readonly answerShare: number;
  readonly callMs: number;
}

/** How much longer nights take than the best plan of them, where something comes between. */
const MISHAPS = 0.1;
/** Nobody needs to know an end better than this. */
const LEAST_SPREAD_MS = 60_000;
/** And of a night of minutes not better than this share. */
const LEAST_SPREAD_SHARE = 0.05;

/** The finish by this plan of the night; where there is no telling yet how long answers or calls are, two more plans tell the range. */
export const finishOf = async (plans: Plans, night: Night, plan: Plan): Promise<ForecastFinish> => {
  const { cells } = night.situation;
  const atMs = plannedFinishMs(night, plan);
  if (atMs === null) {
    const lines = requestsLeft([...plan.undone, ...plan.unplannable.map(inFull)], night.isOwn);
    return { kind: 'never', lines: Math.min(lines, countOf(cells.filter(night.isOwn))) };
  }
  const [best, worst] =
    answersToldBy(night) === 'own' && untriedLanes(night, plan).length === 0
      ? [atMs, atMs]
      : [await finishWith(plans, night, BEST), await finishWith(plans, night, WORST)];
  const beganAtMs = beginsAtMs(night);
  const lastsMs = atMs - beganAtMs;
  const spreadMs = Math.max(LEAST_SPREAD_SHARE * lastsMs, Math.min(LEAST_SPREAD_MS, lastsMs / 2));
  const slowest = Math.max(worst ?? atMs, atMs);
  const earliestMs = inHours(night, Math.min(best ?? atMs, atMs - spreadMs)).atMs;
  const end = inHours(night, atMs);
  return {
    kind: 'at',
    atMs: end.atMs,
    // Quotas that come back between its hours may have it done as soon as the last of them begin.
    earliestMs: end.openedAtMs > beganAtMs ? Math.min(earliestMs, end.openedAtMs) : earliestMs,
    latestMs: inHours(night, Math.max(atMs + spreadMs, slowest + MISHAPS * (slowest - beganAtMs))).atMs,
  };
};

/** What tells how long the batch's answers are. */
export const answersToldBy = ({ situation, batchId }: Night): AnswerEvidence =>
  answerEvidence(situation.answers, batchId);

/** The lanes of the plan on which no call has shown how long it takes. */
export const untriedLanes = ({ situation }: Night, plan: Plan): readonly string[] => {
  const used = plan.lanes.filter(({ shares }) => shares.some(({ now, later }) => now + later > 0));
  const untried = situation.lanes.filter(({ guess }) => guess !== undefined).map(({ id }) => id);
  return used.map(({ laneId }) => laneId).filter((laneId) => untried.includes(laneId));
};

const finishWith = async (
  plans: Plans,
  night: Night,
  { answerShare, callMs }: Guesses,
): Promise<number | null> => {
  const situation = withGuessedCalls(withAnswerShare(night.situation, answerShare), callMs);
  return plannedFinishMs({ ...night, situation }, await plans.make(situation));
};

/** When the last answer of the input is there, as batches at work are told it; `null` where lines would be left. */
export const finishMs = (night: Night, plan: Plan): number | null => {
  const atMs = plannedFinishMs(night, plan);
  return atMs === null ? null : inHours(night, atMs).atMs;
};

/** The same if its hours had no end. */
const plannedFinishMs = ({ situation, batchId }: Night, plan: Plan): number | null =>
  forecastsOf({ situation, plans: new Map([[batchId, plan]]), before: new Map() }).get(batchId)?.finishAtMs ??
  null;

const beginsAtMs = ({ nightWindow, situation }: Night): number => opensAtMs(nightWindow, situation.nowMs);

/** Whole milliseconds: so they are everywhere else, and some readers of JSON take no others. */
const inHours = (night: Night, atMs: number): OpenTimeEnd => {
  const beganAtMs = beginsAtMs(night);
  return openTimeEnd(night.nightWindow, beganAtMs, Math.max(0, Math.round(atMs - beganAtMs)));
};
