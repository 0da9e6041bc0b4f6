/** The documents of a night, by size, in random order as files are. */
import type { Chance } from './chance.ts';
import type { NightDocument } from './night.ts';

/** How sizes are spread. */
export interface Sizes {
  /** Half of the prompts are smaller, in tokens. */
  readonly medianTokens: number;
  /** Of the logarithm of prompts: 0 makes them all alike, 1.3 a heavy tail. */
  readonly sigma: number;
  readonly shortestTokens: number;
  readonly longestTokens: number;
  readonly medianAnswerTokens: number;
  /** The `max_tokens` of every call, and the longest answer. */
  readonly capTokens: number;
}

/** The shortest answer, in tokens. */
const SHORTEST_ANSWER_TOKENS = 8;
/** Up to this length an answer may be any part of its prompt, above it only so much: simulated models give short texts back whole, and summarise others. */
const LONGEST_ECHO_TOKENS = 40;
const LONGEST_ANSWER_RATIO = 0.3;
/** Simulated models answer at no greater length. */
const LONGEST_ANSWER_TOKENS = 220;
/** What a prompt has beside the text that is answered: two messages' overhead, and a word of instructions. */
const PROMPT_OVERHEAD_TOKENS = 12;
const SIGMA_OF_ANSWERS = 0.5;

/** So many documents. */
export const documentsOf = (count: number, sizes: Sizes, chance: Chance): readonly NightDocument[] =>
  Array.from({ length: count }, (_, index) => {
    const promptTokens = promptOf(sizes, chance);
    const { capTokens } = sizes;
    return {
      id: `document-${index + 1}`,
      promptTokens,
      answerTokens: answerOf(promptTokens, sizes, chance),
      capTokens,
    };
  });

const promptOf = (sizes: Sizes, chance: Chance): number =>
  Math.round(
    clamp(chance.logNormal(sizes.medianTokens, sizes.sigma), sizes.shortestTokens, sizes.longestTokens),
  );

const answerOf = (promptTokens: number, sizes: Sizes, chance: Chance): number => {
  const sigma = sizes.sigma === 0 ? 0 : SIGMA_OF_ANSWERS;
  const wished = Math.round(chance.logNormal(sizes.medianAnswerTokens, sigma));
  const longest = Math.min(longestAnswer(promptTokens), sizes.capTokens);
  return clamp(wished, Math.min(SHORTEST_ANSWER_TOKENS, longest), longest);
};

/** The longest answer that a simulated model gives to such a prompt. */
const longestAnswer = (promptTokens: number): number => {
  const textTokens = Math.max(1, promptTokens - PROMPT_OVERHEAD_TOKENS);
  const echoed = Math.min(LONGEST_ECHO_TOKENS, textTokens);
  return Math.max(echoed, Math.min(LONGEST_ANSWER_TOKENS, Math.floor(textTokens * LONGEST_ANSWER_RATIO)));
};

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
