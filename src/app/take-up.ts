/** Takes up a batch that the record knows: the same input, task and policy were submitted again. */
import type { WantedTerms } from '../core/batch-terms.ts';
import { areSameTerms, termsAfter, type TermsInForce } from './adopt-terms.ts';
import type { Batch, BatchStore } from './batch-store.ts';
import { BatchRefused, type Submission, type Submitted } from './batches.ts';
import type { Clock, Routing } from './ports.ts';
import { renewBudget } from './renew-budget.ts';

/** What came of taking in, before anybody is told anything about it. */
export type TakenIn = Omit<Submitted, 'notices'>;

/** What is submitted again, and on which terms. */
export interface Renewal {
  readonly submission: Submission;
  readonly wanted: WantedTerms;
}

/**
 * The batch that the record knows of a submission, with the files and on the terms of now.
 *
 * @throws BatchRefused for one that was cancelled, or that expired and is asked to go on.
 */
export const takeUp = async (
  { store, clock, routing }: { readonly store: BatchStore; readonly clock: Clock; readonly routing: Routing },
  known: Batch,
  { submission, wanted }: Renewal,
): Promise<TakenIn> => {
  requireLiving(known, wanted);
  // Before anything is changed: of a command that is refused nothing is done.
  const inForce = known.state === 'in_progress' ? termsAfter(known, wanted, clock.nowMs()) : known;
  const { outputPath, errorPath } = submission;
  if (outputPath !== null && errorPath !== null) await store.setOutput(known.id, outputPath, errorPath);
  const batch = await adopt(store, await renewBudget(store, routing, known, submission), inForce);
  const formerTerms = areSameTerms(known.terms, batch.terms) ? null : known.terms;
  return { batch, reasons: { first: [], count: 0 }, isKnown: true, formerTerms };
};

const adopt = async (
  store: BatchStore,
  known: Batch,
  { terms, deadlineText }: TermsInForce,
): Promise<Batch> => {
  const isNew = !areSameTerms(known.terms, terms) || known.deadlineText !== deadlineText;
  if (isNew) await store.setTerms(known.id, terms, deadlineText);
  return { ...known, terms, deadlineText };
};

/** A batch that expired is over like any other, unless somebody wants it to go on. */
const requireLiving = (known: Batch, { deadline }: WantedTerms): void => {
  const wasCancelled = known.state === 'cancelled' || known.state === 'cancelling';
  const isExpired = known.state === 'expired' || known.state === 'expiring';
  const wantsMore = isExpired && deadline !== undefined && deadline?.text !== known.deadlineText;
  if (!wasCancelled && !wantsMore) return;
  throw new BatchRefused(
    'conflict',
    `Expected the batch "${known.name}" of this input to be at work or done, but ${wasCancelled ? 'it was cancelled' : 'its deadline has passed'}. ` +
      `Take its open lines up again with \`nightshift retry ${known.id}\`, or begin anew with --fresh.`,
  );
};
