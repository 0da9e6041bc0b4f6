/**
 * The most tokens that any tokenizer makes of a prompt, however badly it suits the text: what a budget is held by, since no
 * estimate may ever let it be exceeded. Pure.
 */
import type { PromptParts } from '../tokens/prompt-parts.ts';

/** A template of another model takes this many times what is charged for one as a rule, at most. */
const TEMPLATE_RATIO = 4;

/**
 * Room for instructions that a provider puts before every prompt of its own accord, and for the few characters that some
 * tokenizers take apart before they count (NFKC).
 */
const HIDDEN_TOKENS = 1_024;

/** The record counts no further; far beyond every context. */
const MOST_COUNTED = 2_147_483_647;

/**
 * At most this many tokens. A tokenizer knows every byte, and joins bytes: none makes more tokens of a text than it has bytes
 * in UTF-8. `null` where parts are not text: nobody can say what an image takes, and only the lane's context bounds it.
 */
export function mostPromptTokens({ texts, fixedTokens, otherParts }: PromptParts): number | null {
  if (otherParts > 0) return null;
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return Math.min(MOST_COUNTED, bytes + TEMPLATE_RATIO * fixedTokens + HIDDEN_TOKENS);
}
