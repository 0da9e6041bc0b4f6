/** What one more provider would change: the same night planned with each of them. */
import { inFull, requestsLeft, shareOf } from '../../core/plan/by-deadline.ts';
import { fits, limitsOf } from '../../core/plan/demand.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { PlanRoute, Situation } from '../../core/plan/situation.ts';
import { type Supply, unusedSupply } from '../../core/plan/unused.ts';
import { withMoreSupply } from '../../core/plan/what-if.ts';
import type { MeasuredInput } from '../measure-input.ts';
import type { Plans } from './counted-plans.ts';
import { finishMs } from './forecast-finish.ts';
import type { AdditionForecast } from './input-forecast.ts';
import {
  type Candidate,
  countOf,
  type ForecastQuestion,
  fromOpening,
  type Night,
} from './night-asked-for.ts';

/** Less than this, or than a share of the night, is no reason to get a key. */
export const LEAST_GAIN_MS = 60_000;
const LEAST_GAIN_SHARE = 0.01;

/** Those that help, most first; all of them where each stands alone. */
export const additionsOf = async (
  plans: Plans,
  question: ForecastQuestion,
  night: Night,
  plan: Plan,
): Promise<readonly AdditionForecast[]> => {
  const found: AdditionForecast[] = [];
  for (const candidate of question.candidates) {
    const supply = unusedSupply([candidate.provider]);
    const situation = withCandidate(question, night, candidate, supply);
    if (situation === null) continue;
    const made = await plans.make(situation);
    found.push(additionOf({ made, supply, candidate, question, night: { ...night, situation } }));
  }
  const { candidatesStandAlone } = question;
  const now = {
    linesLeft: linesLeftOf(plan, night),
    finishAtMs: finishMs(night, plan),
    atMs: night.situation.nowMs,
  };
  return found
    .filter((addition) => candidatesStandAlone || helps(addition, now))
    .toSorted((a, b) => a.linesLeft - b.linesLeft || (a.finishAtMs ?? 0) - (b.finishAtMs ?? 0));
};

/** The night with the candidate; `null` where no line of the input could go there. */
export const withCandidate = (
  { candidatesStandAlone, situation }: ForecastQuestion,
  night: Night,
  candidate: Candidate,
  supply: Supply,
): Situation | null => {
  const base = candidatesStandAlone ? { ...night.situation, ...NOBODY } : night.situation;
  const isTheirs = (laneId: string): boolean => supply.lanes.some(({ id }) => id === laneId);
  const laneIdsOf = (route: PlanRoute): readonly string[] => {
    const name = night.nameOf(route);
    if (name === null) return route.laneIds;
    const would = candidate.laneIdsOf(name);
    return candidatesStandAlone ? would.filter(isTheirs) : [...new Set([...would, ...route.laneIds])];
  };
  const lanes = fromOpening(supply.lanes, night.nightWindow, situation.nowMs);
  const more = withMoreSupply({ ...base, nowMs: situation.nowMs }, { ...supply, lanes }, laneIdsOf);
  return more.routes.some((route) => night.isOwnRoute(route) && route.laneIds.some(isTheirs)) ? more : null;
};

/** Nobody who serves. */
export const NOBODY = { lanes: [], providers: [], limits: [] };

interface Weighing {
  readonly made: Plan;
  readonly supply: Supply;
  readonly candidate: Candidate;
  readonly question: ForecastQuestion;
  readonly night: Night;
}

const additionOf = ({ made, supply, candidate, question, night }: Weighing): AdditionForecast => {
  const linesLeft = linesLeftOf(made, night);
  const own = made.lanes.filter(({ laneId }) => supply.lanes.some(({ id }) => id === laneId));
  const taken = own
    .flatMap(({ shares }) => shares)
    .reduce((sum, { sizeClass, now, later }) => sum + (now + later) * shareOf(sizeClass, night.isOwn), 0);
  return {
    providerId: candidate.provider.id,
    finishAtMs: finishMs(night, made),
    linesLeft,
    lines: Math.round(taken),
    tooLargeLines: takenOfTooLarge(question.measured, candidate, supply),
  };
};

const linesLeftOf = ({ unplannable, undone }: Plan, { isOwn }: Night): number =>
  requestsLeft([...undone, ...unplannable.map(inFull)], isOwn);

const takenOfTooLarge = (
  { tooLarge }: MeasuredInput,
  { laneIdsOf }: Candidate,
  { lanes, limits }: Supply,
): number =>
  [...tooLarge].reduce((sum, [name, cells]) => {
    const laneIds = laneIdsOf(name);
    const taken = cells.filter((cell) =>
      lanes.some((lane) => laneIds.includes(lane.id) && fits(lane, limitsOf(lane, limits), cell)),
    );
    return sum + countOf(taken);
  }, 0);

interface Standing {
  readonly linesLeft: number;
  readonly finishAtMs: number | null;
  readonly atMs: number;
}

const helps = (addition: AdditionForecast, now: Standing): boolean => {
  if (addition.tooLargeLines > 0 || addition.linesLeft < now.linesLeft) return true;
  if (addition.finishAtMs === null || now.finishAtMs === null) return false;
  const gainMs = now.finishAtMs - addition.finishAtMs;
  return gainMs >= Math.max(LEAST_GAIN_MS, LEAST_GAIN_SHARE * (now.finishAtMs - now.atMs));
};
