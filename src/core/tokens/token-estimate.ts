/**
 * How many tokens a request takes, without a tokenizer: one pass over the text by classes of characters.
 *
 * An upper estimate, for quota is reserved by it before a call and settled to the real usage after. By classes alone it
 * was, on 20 State of the Union addresses (1 MB), 11 to 24 % above what o200k and cl100k count for each. Smaller
 * vocabularies cut finer, and vendors publish four characters a token as the rule (OpenAI's and Gemini's documentation
 * do), so that is a floor.
 */
import {
  classOf,
  DIGIT,
  IDEOGRAPH,
  isSpace,
  isWord,
  LOWER,
  MARK,
  TWO_BYTES,
  UPPER,
  ACCENTED,
  BREAK,
} from './character-class.ts';
import type { JsonRecord } from '../json/loose-json.ts';
import { isList, isRecord, stringAt } from '../json/loose-json.ts';

/** Output tokens a request may take when neither it nor its task says. */
export const DEFAULT_OUTPUT_TOKENS = 1_024;

/** Roles and separators of one message in a chat template: 3 to 6 in those of GPT, Llama 3 and Qwen. */
const MESSAGE_TOKENS = 6;

/** What a template adds once: gpt-oss has the longest preamble of the open models, about 70 tokens. */
const REPLY_TOKENS = 72;

/** Charge for a part that is not text: GPT-4o's largest image takes 1,445 tokens, a tile at Gemini 258. */
const NON_TEXT_PART_TOKENS = 1_600;

/** The vendors' rule of thumb; runs of white space count as one character. */
const CHARACTERS_PER_TOKEN = 4;

/** Costs are whole hundredths of a token, so that a sum does not depend on its order. */
const TOKEN = 100;

/**
 * An upper estimate of the tokens of `text` in the current tokenizers (GPT, Llama 3, Qwen, Gemma, Mistral).
 *
 * Never below the number of words, and never less for a text than for a part of it.
 */
export function estimateTextTokens(text: string): number {
  let cost = 0;
  let previous = -1;
  let previousCode = -1;
  let run = 0;
  let characters = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const kind = classOf(code);
    run = continuesRun(kind, previous) ? run + 1 : 1;
    if (run === 1 || !isSpace(kind)) characters += 1;
    if (isSpace(kind)) cost += spaceCost(kind, run, previousCode);
    else if (isWord(kind)) cost += run === 1 ? TOKEN : nextLetterCost(kind, run);
    else if (kind === MARK && code === previousCode) cost += TOKEN / 2;
    else cost += singleCost(kind);
    previous = kind;
    previousCode = code;
  }
  return Math.max(Math.ceil(cost / TOKEN), Math.ceil(characters / CHARACTERS_PER_TOKEN));
}

/** White space runs together; so do the letters of a word, until a capital follows a small letter (`camelCase`). */
function continuesRun(kind: number, previous: number): boolean {
  if (isSpace(kind)) return isSpace(previous);
  return isWord(kind) && isWord(previous) && (kind !== UPPER || previous === UPPER);
}

/** The space before a word belongs to the word's token; longer runs are one token per eight or so. */
function spaceCost(kind: number, run: number, previousCode: number): number {
  if (run === 1) return kind === BREAK ? TOKEN : 0;
  return run === 2 && previousCode === SPACE_CODE ? TOKEN : 13;
}

const SPACE_CODE = 0x20;

/** Most English words up to 8 letters are one token; capitals are split about every 2.5, accents cost their bytes. */
function nextLetterCost(kind: number, run: number): number {
  if (kind === LOWER) return run <= 4 ? 0 : run <= 8 ? 10 : 30;
  return kind === ACCENTED ? 80 : 40;
}

/** Numbers are split into digits by Gemma and Mistral; other scripts cost about half a token per byte of UTF-8. */
function singleCost(kind: number): number {
  if (kind === DIGIT || kind === MARK || kind === TWO_BYTES) return TOKEN;
  return kind === IDEOGRAPH ? 125 : 150;
}

/**
 * An upper estimate of the prompt tokens of a chat completion's body: messages (text and other parts, tool calls), tools,
 * response format, and the template around them. Members that do not reach the model cost nothing; never throws.
 */
export function estimatePromptTokens(body: JsonRecord): number {
  const messages = isList(body['messages']) ? body['messages'] : [];
  const messageTokens = messages.reduce((sum: number, message) => sum + estimateMessage(message), 0);
  const schemas = [body['tools'], body['functions'], body['response_format']];
  return messageTokens + schemas.reduce((sum: number, schema) => sum + estimateJson(schema), REPLY_TOKENS);
}

function estimateMessage(message: unknown): number {
  if (!isRecord(message)) return MESSAGE_TOKENS;
  const { content, role: _role, ...others } = message;
  const otherTokens = Object.keys(others).length > 0 ? estimateJson(others) : 0;
  return MESSAGE_TOKENS + estimateContent(content) + otherTokens;
}

function estimateContent(content: unknown): number {
  if (typeof content === 'string') return estimateTextTokens(content);
  if (!isList(content)) return 0;
  return content.reduce((sum: number, part) => sum + estimatePart(part), 0);
}

function estimatePart(part: unknown): number {
  const text = stringAt(part, 'text');
  return text === undefined ? NON_TEXT_PART_TOKENS : estimateTextTokens(text);
}

function estimateJson(value: unknown): number {
  return value === undefined || value === null ? 0 : estimateTextTokens(JSON.stringify(value));
}

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
