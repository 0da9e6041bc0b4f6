/** The parts of a chat completion request that the simulator looks at, and what it says of a body it cannot read. */
import { hash } from 'node:crypto';
import { countTokens, TOKENS_PER_MESSAGE } from '../answers/count-tokens.ts';

/** One message with its text parts joined. */
export interface ChatMessage {
  readonly role: string;
  readonly text: string;
}

/** What an answer must look like. */
export type AnswerForm =
  | { readonly kind: 'text' }
  | { readonly kind: 'json'; readonly schema: Readonly<Record<string, unknown>> | null };

/** A readable request. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Whether every `content` came as a string, which Cloudflare insists on. */
  readonly plainContent: boolean;
  readonly promptTokens: number;
  /** `max_completion_tokens`, else `max_tokens`; null when neither was sent. */
  readonly maxTokens: number | null;
  readonly form: AnswerForm;
  /** `metadata.custom_id`, or null. */
  readonly customId: string | null;
  /** 16 hexadecimal digits, the same for the same `messages` member. */
  readonly messagesHash: string;
  /** The members of the body, by name. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** A request, or why it is none; `parameter` names the offending member where there is one. */
export type ParsedChat =
  | { readonly kind: 'request'; readonly request: ChatRequest }
  | { readonly kind: 'unreadable'; readonly message: string; readonly parameter: string | null };

/** Reads a request body. Never throws. */
export function parseChat(bodyText: string): ParsedChat {
  const body = parseObject(bodyText);
  if (body === null) return unreadable('We could not parse the JSON body of your request.', null);
  const { model, messages } = body;
  if (typeof model !== 'string' || model === '')
    return unreadable('you must provide a model parameter', 'model');
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isRecord)) {
    return unreadable("Invalid 'messages': expected a non-empty array of messages.", 'messages');
  }
  if (body['stream'] === true) return unreadable('Streaming is not simulated: send stream: false.', 'stream');
  const maxTokens = body['max_completion_tokens'] ?? body['max_tokens'] ?? null;
  if (maxTokens !== null && !isPositiveInteger(maxTokens)) {
    return unreadable("Invalid 'max_tokens': expected a positive integer.", 'max_tokens');
  }
  return { kind: 'request', request: requestOf(body, { model, messages, maxTokens }) };
}

function requestOf(
  body: Readonly<Record<string, unknown>>,
  checked: {
    readonly model: string;
    readonly messages: readonly Readonly<Record<string, unknown>>[];
    readonly maxTokens: number | null;
  },
): ChatRequest {
  const messages = checked.messages.map((message) => ({
    role: typeof message['role'] === 'string' ? message['role'] : 'user',
    text: textOf(message['content']),
  }));
  return {
    model: checked.model,
    messages,
    plainContent: checked.messages.every((message) => typeof message['content'] === 'string'),
    promptTokens: promptTokensOf(messages),
    maxTokens: checked.maxTokens,
    form: formOf(body['response_format']),
    customId: customIdOf(body['metadata']),
    messagesHash: hash('sha256', JSON.stringify(checked.messages)).slice(0, 16),
    members: body,
  };
}

/** The prompt tokens a list of messages is charged and reported at. */
export function promptTokensOf(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + TOKENS_PER_MESSAGE + countTokens(message.text), 0);
}

/** Whether a value is an object of named members. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object a text holds, or null. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function unreadable(message: string, parameter: string | null): ParsedChat {
  return { kind: 'unreadable', message, parameter };
}

function isPositiveInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('\n');
}

function formOf(responseFormat: unknown): AnswerForm {
  if (!isRecord(responseFormat)) return { kind: 'text' };
  if (responseFormat['type'] === 'json_object') return { kind: 'json', schema: null };
  if (responseFormat['type'] !== 'json_schema') return { kind: 'text' };
  const named = responseFormat['json_schema'];
  const schema = isRecord(named) ? named['schema'] : undefined;
  return { kind: 'json', schema: isRecord(schema) ? schema : null };
}

function customIdOf(metadata: unknown): string | null {
  const customId = isRecord(metadata) ? metadata['custom_id'] : undefined;
  return typeof customId === 'string' ? customId : null;
}
