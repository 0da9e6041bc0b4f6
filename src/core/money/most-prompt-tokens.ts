/**
 * The most tokens that any tokenizer makes of what a paid call sends, however badly it suits the text: what a budget is held
 * by, since no estimate may ever let it be exceeded. Pure.
 */
import type { JsonRecord } from '../json/loose-json.ts';
import { promptParts } from '../tokens/prompt-parts.ts';
import { isTextAlone } from '../tokens/text-alone.ts';
import { atStandardRate } from './standard-rate.ts';

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
 * At most this many tokens, for a body with its numbers as they were written. A tokenizer knows every byte, and joins bytes:
 * none makes more tokens of a text than it has bytes in UTF-8, and as JSON it has no fewer. So all of what is sent is counted,
 * whichever members the model reads. `null` where that is not all that it may read: nobody can say what an image takes, and
 * only the lane's context bounds it.
 */
export function mostPromptTokens(body: JsonRecord): number | null {
  const sent = atStandardRate(body);
  if (!isTextAlone(sent)) return null;
  const bytes = Buffer.byteLength(JSON.stringify(sent));
  return Math.min(MOST_COUNTED, bytes + TEMPLATE_RATIO * promptParts(sent).fixedTokens + HIDDEN_TOKENS);
}
