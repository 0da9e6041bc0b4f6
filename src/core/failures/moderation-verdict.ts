/**
 * Free relays (Kilo, OpenRouter's free models) now and then hand a request to a moderation model, which answers `safe` or
 * `unsafe` and nothing else.
 */

/** Llama Guard adds the categories: `unsafe`, then `S1,S10` on the next line. */
const VERDICT = /^(?:safe|unsafe(?:\s{1,4}S\d{1,2}(?:,\s?S\d{1,2}){0,20})?)$/iu;

/** A task that may be answered so has the word somewhere. */
const SPEAKS_OF_SAFETY = /safe/iu;

/**
 * Whether an answer is such a verdict and nobody asked for one.
 *
 * @param promptText what was asked, read only where the answer has the form; without it no answer is taken for a verdict.
 */
export function isModerationVerdict(text: string, promptText: (() => string) | undefined): boolean {
  if (promptText === undefined || !VERDICT.test(text.trim())) return false;
  return !SPEAKS_OF_SAFETY.test(promptText());
}
