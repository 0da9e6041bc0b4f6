/** The budget of a batch that is submitted again. */
import { whyNothingServes } from './batch-policy.ts';
import type { Batch, BatchStore } from './batch-store.ts';
import { BatchRefused, type Submission } from './batches.ts';
import type { Routing } from './ports.ts';

/**
 * The known batch with the budget of now: the latest one that was said. What is not said stays, and so does the budget of
 * a batch that is over.
 *
 * @throws BatchRefused where only money gets it done and there is none.
 */
export const renewBudget = async (
  store: Pick<BatchStore, 'setMaxCost'>,
  routing: Routing,
  known: Batch,
  { pool, maxCostNanoDollars: said }: Pick<Submission, 'pool' | 'maxCostNanoDollars'>,
): Promise<Batch> => {
  if (known.state !== 'in_progress') return known;
  const maxCostNanoDollars = said ?? known.maxCostNanoDollars;
  const why = whyNothingServes({ policy: known.policy, maxCostNanoDollars }, routing, pool);
  if (why?.kind === 'money') throw new BatchRefused('invalid', why.message);
  if (known.maxCostNanoDollars === maxCostNanoDollars) return known;
  await store.setMaxCost(known.id, maxCostNanoDollars, routing);
  return { ...known, maxCostNanoDollars };
};
