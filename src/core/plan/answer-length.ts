/** How long answers will be: as long as those to prompts of the same size were lately, in the same batch if there were any. */
import { bandOf } from './bands.ts';
import type { AnswerTally, BacklogCell } from './situation.ts';

/** Bounds are set generously: answers take about a third of theirs, until some have shown better. */
const UNKNOWN_ANSWER_SHARE = 0.35;
/** What is known of something wider counts as much as so many answers to what is asked about. */
const PRIOR_ANSWERS = 4;

/** By what the length of a batch's answers is told: by its own, by those of other batches, or by their bounds alone. */
export type AnswerEvidence = 'own' | 'others' | 'bounds';

/** What there is to go by for a batch; without an id it is one that has no answers yet. */
export const answerEvidence = (
  tallies: readonly AnswerTally[],
  batchId: number | undefined,
): AnswerEvidence => {
  if (tallies.some((tally) => tally.batchId === batchId)) return 'own';
  return tallies.length > 0 ? 'others' : 'bounds';
};

/**
 * Tells the expected length of answers to requests of a cell, in tokens; never above their bound. What each knows stands in
 * for what the next does not know yet: the bound, all answers, all those to prompts of the size, all of the batch, and those
 * of the batch to prompts of the size.
 */
export const answerTokensOf = (
  tallies: readonly AnswerTally[],
): ((cell: Pick<BacklogCell, 'capTokens' | 'toTokens'>, batchId: number | undefined) => number) => {
  const all = sumOf(tallies);
  const ofSize = sumsBy(tallies, ({ band }) => band);
  const ofBatch = sumsBy(tallies, ({ batchId }) => batchId);
  const ofBoth = sumsBy(tallies, ({ batchId, band }) => `${batchId} ${band}`);
  return ({ capTokens, toTokens }, batchId) => {
    const band = bandOf(toTokens);
    const known = [all, ofSize.get(band), ofBatch.get(batchId ?? -1), ofBoth.get(`${batchId} ${band}`)];
    return Math.min(capTokens, known.reduce(blend, capTokens * UNKNOWN_ANSWER_SHARE));
  };
};

type Sum = Pick<AnswerTally, 'answers' | 'tokens'>;

const blend = (otherwise: number, seen: Sum | undefined): number =>
  seen === undefined ? otherwise : (seen.tokens + PRIOR_ANSWERS * otherwise) / (seen.answers + PRIOR_ANSWERS);

const sumsBy = <Key>(
  tallies: readonly AnswerTally[],
  keyOf: (tally: AnswerTally) => Key,
): ReadonlyMap<Key, Sum> =>
  new Map([...Map.groupBy(tallies, keyOf)].map(([key, alike]) => [key, sumOf(alike)]));

const sumOf = (tallies: readonly AnswerTally[]): Sum => ({
  answers: tallies.reduce((sum, { answers }) => sum + answers, 0),
  tokens: tallies.reduce((sum, { tokens }) => sum + tokens, 0),
});
