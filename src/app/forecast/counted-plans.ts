/** Plans of one forecast, told of as they are made, and none once it is to stop. */
import type { Plan } from '../../core/plan/plan.ts';
import type { Situation } from '../../core/plan/situation.ts';
import type { ForecastQuestion, ForecastTools } from './night-asked-for.ts';

/** Makes what plans a forecast needs. */
export interface Plans {
  readonly make: (situation: Situation) => Promise<Plan>;
  readonly leftBy: ForecastTools['leftBy'];
}

/** Plans that are counted; each rejects with the signal's reason once that is aborted. */
export const countedPlans = (
  { planner, leftBy, tell, signal }: ForecastTools,
  { candidates, terms }: ForecastQuestion,
): Plans => {
  const all = OWN_PLANS + candidates.length + (terms.deadlineAtMs === null ? 0 : candidates.length + 2);
  let made = 0;
  const count = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    signal.throwIfAborted();
    const result = await work();
    made += 1;
    tell(Math.min(made, all), all);
    return result;
  };
  return {
    make: (situation) => count(() => planner.plan(situation)),
    leftBy: (situation, atMs) => count(() => leftBy(situation, atMs)),
  };
};

/** As expected, with short answers, and with long ones. */
const OWN_PLANS = 3;
