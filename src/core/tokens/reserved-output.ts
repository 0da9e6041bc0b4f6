/** How many tokens are reserved for an answer before it is known. */

/** Output tokens a request may take when neither it nor its task says. */
export const DEFAULT_OUTPUT_TOKENS = 1_024;

/** Steps per doubling of the caps that are told apart: 96 of them reach from 1 to 4,096, and none reserves over 1/8 more. */
const CAP_STEPS = 8;

/**
 * What is reserved for an answer that a line bounds itself, in tokens: its cap, rounded up to one of few. The backlog
 * is sorted cap by cap, and a file with a thousand different caps must not make a thousand sorted lists.
 */
export function reservedOutputTokens(askedTokens: number): number {
  const step = Math.max(1, 2 ** Math.floor(Math.log2(askedTokens)) / CAP_STEPS);
  return Math.ceil(askedTokens / step) * step;
}
