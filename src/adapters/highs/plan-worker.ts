/**
 * The thread that plans: each message is a situation, answered by one {@link PlanAnswer}. It knows nothing but what it is
 * sent, and ends with whoever started it.
 */
import { parentPort } from 'node:worker_threads';
import { makePlan } from '../../core/plan/plan.ts';
import type { Situation } from '../../core/plan/situation.ts';
import { openSolver } from './open-solver.ts';
import type { PlanAnswer } from './plan-thread.ts';

const opening = openSolver();

const answerTo = async (situation: Situation): Promise<PlanAnswer> => {
  try {
    return { kind: 'planned', plan: makePlan(situation, await opening) };
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.on('message', (situation: Situation) => {
  void answerTo(situation).then((answer) => parentPort?.postMessage(answer, []));
});
