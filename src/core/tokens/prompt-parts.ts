/**
 * What of a request reaches the model as its prompt: the texts to be counted by a tokenizer, and what is added to them.
 * The count is the app's (`token-counter.ts`); the ledger fits it to each lane by what the lane reports.
 */
import type { JsonRecord } from '../json/loose-json.ts';
import { isList, isRecord, stringAt } from '../json/loose-json.ts';
import { isTextPart } from './text-alone.ts';

/** Roles and separators of one message in a chat template: 3 to 6 in those of GPT, Llama 3 and Qwen. */
const MESSAGE_TOKENS = 6;

/** What a template adds once: gpt-oss has the longest preamble of the open models, about 70 tokens. */
const REPLY_TOKENS = 72;

/** Charge for a part that is not text alone: GPT-4o's largest image takes 1,445 tokens, a tile at Gemini 258. */
const NON_TEXT_PART_TOKENS = 1_600;

/** A prompt takes the tokens of its texts, each counted alone, and the fixed ones. */
export interface PromptParts {
  readonly texts: readonly string[];
  /** Template, messages, and parts that are not text alone. */
  readonly fixedTokens: number;
}

/** Of a line that is no request, or a member that holds nothing. */
export const NO_PROMPT: PromptParts = { texts: [], fixedTokens: 0 };

/**
 * The parts of a chat completion's body: messages (text and other parts, names, tool calls), tools, response format, and
 * the template around them. Members that do not reach the model add nothing. Never throws, whatever the members are.
 */
export function promptParts(body: JsonRecord): PromptParts {
  const messages = isList(body['messages']) ? body['messages'] : [];
  const schemas = [body['tools'], body['functions'], body['response_format']];
  return join([TEMPLATE, ...messages.map(messageParts), ...schemas.map(jsonParts)]);
}

const TEMPLATE: PromptParts = { ...NO_PROMPT, fixedTokens: REPLY_TOKENS };
const OTHER_PART: PromptParts = { texts: [], fixedTokens: NON_TEXT_PART_TOKENS };

function join(parts: readonly PromptParts[]): PromptParts {
  return {
    texts: parts.flatMap(({ texts }) => texts),
    fixedTokens: parts.reduce((sum, { fixedTokens }) => sum + fixedTokens, 0),
  };
}

function messageParts(message: unknown): PromptParts {
  const separators = { ...NO_PROMPT, fixedTokens: MESSAGE_TOKENS };
  if (!isRecord(message)) return separators;
  const { content, role: _role, ...others } = message;
  const otherParts = Object.keys(others).length > 0 ? jsonParts(others) : NO_PROMPT;
  return join([separators, contentParts(content), otherParts]);
}

function contentParts(content: unknown): PromptParts {
  if (typeof content === 'string') return textParts(content);
  return isList(content) ? join(content.map(contentPart)) : NO_PROMPT;
}

function contentPart(part: unknown): PromptParts {
  const text = textParts(typeof part === 'string' ? part : (stringAt(part, 'text') ?? ''));
  return isTextPart(part) ? text : join([text, OTHER_PART]);
}

function jsonParts(value: unknown): PromptParts {
  return value === undefined || value === null ? NO_PROMPT : textParts(JSON.stringify(value));
}

function textParts(text: string): PromptParts {
  return text === '' ? NO_PROMPT : { ...NO_PROMPT, texts: [text] };
}
