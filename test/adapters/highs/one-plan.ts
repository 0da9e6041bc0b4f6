/** A process that makes one plan, prints its finish, and has nothing else to do. */
import { openPlanner } from '../../../src/adapters/highs/open-planner.ts';
import { aSituation } from '../../core/plan/a-situation.ts';

const plan = await openPlanner().plan(aSituation());
process.stdout.write(String(plan.finishAtMs));
