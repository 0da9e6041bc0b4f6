/**
 * Whether all that a model reads of a request stands in it as text, so that its bytes bound its tokens. What is fetched (an
 * image's address, the id of something stored) or decoded (an image, speech) may be of any size. Pure.
 */
import { isList, isRecord, type JsonRecord } from '../json/loose-json.ts';
import { isNumber } from '../json/lossless-json.ts';

/**
 * Members of a body that are texts, schemas or settings. Any other may refer to something (`preset`, `data_sources`, Gemini's
 * `cached_content`), unless it has no room for a reference.
 */
const OF_BODY: ReadonlySet<string> = new Set([
  'messages',
  'model',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'response_format',
  'chat_template_kwargs',
  'stop',
  'logit_bias',
  'reasoning',
  'reasoning_effort',
  'thinking',
  'verbosity',
  'stream_options',
  'metadata',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'provider',
]);

const OF_MESSAGE: ReadonlySet<string> = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'reasoning',
  'reasoning_content',
  'tool_calls',
  'tool_call_id',
  'function_call',
]);

const OF_TOOL_CALL: ReadonlySet<string> = new Set(['id', 'type', 'function', 'custom']);

const OF_TEXT_PART: ReadonlySet<string> = new Set(['type', 'text', 'cache_control']);

/** Whether nothing in the body has to be fetched or decoded. What is not known counts as if it had to be. */
export function isTextAlone(body: JsonRecord): boolean {
  const { messages } = body;
  return hasOnly(body, OF_BODY) && isList(messages) && messages.every(isTextMessage);
}

/** Whether a part of a message's content is text, and nothing else. */
export function isTextPart(part: unknown): boolean {
  if (typeof part === 'string') return true;
  return (
    isRecord(part) &&
    part['type'] === 'text' &&
    typeof part['text'] === 'string' &&
    hasOnly(part, OF_TEXT_PART)
  );
}

function isTextMessage(message: unknown): boolean {
  if (!isRecord(message) || !hasOnly(message, OF_MESSAGE)) return false;
  const { content, tool_calls: toolCalls } = message;
  return (
    (typeof content === 'string' || isListOf(isTextPart, content)) &&
    isListOf((call) => hasOnly(call, OF_TOOL_CALL), toolCalls)
  );
}

function isListOf(isOne: (value: unknown) => boolean, value: unknown): boolean {
  return isList(value) ? value.every(isOne) : isEmpty(value);
}

function hasOnly(value: unknown, known: ReadonlySet<string>): boolean {
  return (
    isRecord(value) && Object.entries(value).every(([name, member]) => known.has(name) || isEmpty(member))
  );
}

/** Without room for a reference or for data: a number, a switch, or nothing at all. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || typeof value === 'boolean') return true;
  return isNumber(value) || (typeof value === 'object' && Object.keys(value).length === 0);
}
