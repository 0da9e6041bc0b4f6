/** How long answers will be: as long as those to prompts of the same size were in the same batch, lately. */
import { bandOf } from './bands.ts';
import type { AnswerTally, BacklogCell } from './situation.ts';

/** Bounds are set generously: answers take about a third of theirs, until they have shown better. */
const UNKNOWN_ANSWER_SHARE = 0.35;
/** What is known of the whole batch, or of nothing, counts as much as so many answers to prompts of the size. */
const PRIOR_ANSWERS = 4;

/** Tells the expected length of answers to requests of a cell, in tokens; never above their bound. */
export const answerTokensOf = (
  tallies: readonly AnswerTally[],
): ((cell: Pick<BacklogCell, 'capTokens' | 'toTokens'>, batchId: number | undefined) => number) => {
  const bySize = new Map(tallies.map((tally) => [`${tally.batchId} ${tally.band}`, tally]));
  const byBatch = new Map(
    [...Map.groupBy(tallies, ({ batchId }) => batchId)].map(([batchId, own]) => [batchId, sumOf(own)]),
  );
  return ({ capTokens, toTokens }, batchId) => {
    const unknown = capTokens * UNKNOWN_ANSWER_SHARE;
    const ofBatch = blend(byBatch.get(batchId ?? -1), unknown);
    return Math.min(capTokens, blend(bySize.get(`${batchId} ${bandOf(toTokens)}`), ofBatch));
  };
};

type Sum = Pick<AnswerTally, 'answers' | 'tokens'>;

const blend = (seen: Sum | undefined, otherwise: number): number =>
  seen === undefined ? otherwise : (seen.tokens + PRIOR_ANSWERS * otherwise) / (seen.answers + PRIOR_ANSWERS);

const sumOf = (tallies: readonly AnswerTally[]): Sum => ({
  answers: tallies.reduce((sum, { answers }) => sum + answers, 0),
  tokens: tallies.reduce((sum, { tokens }) => sum + tokens, 0),
});
