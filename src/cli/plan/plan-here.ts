/** Plans made in this very process: a command that forecasts has nothing else to do meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openSolver } from '../../adapters/highs/open-solver.ts';
import type { ForecastTools } from '../../app/forecast/night-asked-for.ts';
import { leftByDeadline } from '../../core/plan/by-deadline.ts';
import { makePlan } from '../../core/plan/plan.ts';

/** Loads the solver; between plans whoever waits has a turn: signals, and the display. */
export async function openPlansHere(): Promise<Pick<ForecastTools, 'planner' | 'leftBy'>> {
  const solve = await openSolver();
  return {
    planner: {
      plan: async (situation) => {
        await nextTurn();
        return makePlan(situation, solve);
      },
    },
    leftBy: async (situation, deadlineAtMs) => {
      await nextTurn();
      return leftByDeadline(situation, deadlineAtMs, solve);
    },
  };
}
