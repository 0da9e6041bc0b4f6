/**
 * The check of a chat completion's body before anything is spent on it. Only what Nightshift itself relies on is
 * checked; everything else is the provider's to judge.
 */
import { quoteName, type BadLineCode } from './bad-line.ts';
import { describeType, isList, isRecord, type JsonRecord, memberAt } from '../json/loose-json.ts';

/** Why a body cannot be sent; `param` is the dotted path of the member at fault. */
export interface BodyFault {
  readonly code: BadLineCode;
  readonly param: string;
  readonly message: string;
}

type Check = (body: JsonRecord) => BodyFault | null;

const CHECKS: readonly Check[] = [checkStream, checkMessages, checkOutputTokens, checkChoices];

/** The first fault of a body, its model aside; `null` where there is none. */
export function findBodyFault(body: JsonRecord): BodyFault | null {
  for (const check of CHECKS) {
    const fault = check(body);
    if (fault !== null) return fault;
  }
  return null;
}

function checkStream({ stream }: JsonRecord): BodyFault | null {
  if (stream === undefined || stream === null || stream === false) return null;
  return {
    code: 'streaming_unsupported',
    param: 'body.stream',
    message: 'Expected `body.stream` to be false or missing, since a line gets one whole answer. Remove it.',
  };
}

function checkMessages({ messages }: JsonRecord): BodyFault | null {
  if (messages === undefined || messages === null || (isList(messages) && messages.length === 0)) {
    return expected(
      'missing_required_parameter',
      'body.messages',
      'an array of at least one message',
      messages,
    );
  }
  if (!isList(messages)) return expected('invalid_type', 'body.messages', 'an array of messages', messages);
  for (const [index, message] of messages.entries()) {
    const fault = checkMessage(message, `body.messages[${index}]`);
    if (fault !== null) return fault;
  }
  return null;
}

function checkMessage(message: unknown, path: string): BodyFault | null {
  if (!isRecord(message))
    return expected('invalid_type', path, 'an object with `role` and `content`', message);
  const { role, content } = message;
  if (typeof role !== 'string' || role === '') {
    return expected('invalid_type', `${path}.role`, 'a role such as "user"', role);
  }
  if (typeof content === 'string') return null;
  if (isList(content) && content.length > 0) return checkParts(content, `${path}.content`);
  const mayLackContent = role === 'assistant' && (content === undefined || content === null);
  return mayLackContent
    ? null
    : expected('invalid_type', `${path}.content`, 'a string or an array of parts', content);
}

function checkParts(parts: readonly unknown[], path: string): BodyFault | null {
  const index = parts.findIndex((part) => typeof memberAt(part, 'type') !== 'string');
  return index === -1
    ? null
    : expected('invalid_type', `${path}[${index}]`, 'an object with a `type`', parts[index]);
}

const OUTPUT_CAPS = ['max_completion_tokens', 'max_tokens'] as const;

function checkOutputTokens(body: JsonRecord): BodyFault | null {
  for (const name of OUTPUT_CAPS) {
    const value = body[name];
    if (value !== undefined && value !== null && !isPositiveInteger(value)) {
      const got = typeof value === 'number' ? String(value) : describeType(value);
      return {
        code: 'invalid_value',
        param: `body.${name}`,
        message: `Expected \`body.${name}\` to be a whole number of tokens above 0, got ${got}. Correct it, or leave it out for the default.`,
      };
    }
  }
  return null;
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

/** Several answers per call multiply what a call costs, and most free tiers refuse them. */
function checkChoices({ n }: JsonRecord): BodyFault | null {
  if (n === undefined || n === null || n === 1) return null;
  return {
    code: 'invalid_value',
    param: 'body.n',
    message:
      'Expected `body.n` to be 1 or missing: a line gets one answer. Repeat the line under several custom_ids.',
  };
}

function expected(code: BadLineCode, param: string, what: string, got: unknown): BodyFault {
  return { code, param, message: `Expected \`${param}\` to be ${what}, got ${describeType(got)}.` };
}

/** The output cap a checked body asks for, in tokens: `max_completion_tokens`, else `max_tokens`, else `null`. */
export function requestedOutputTokens(body: JsonRecord): number | null {
  return OUTPUT_CAPS.map((name) => body[name]).find(isPositiveInteger) ?? null;
}

/** Whether a body asks for an answer that is JSON. */
export function wantsJson(body: JsonRecord): boolean {
  const type = memberAt(body['response_format'], 'type');
  return type === 'json_object' || type === 'json_schema';
}

/** How the names a line may call a model by were resolved. */
export type ModelResolution =
  | { readonly kind: 'lanes'; readonly laneIds: readonly string[] }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** The fault of a body's model; `null` where `resolve` finds lanes for it. */
export function findModelFault(
  body: JsonRecord,
  resolve: (name: string) => ModelResolution,
): BodyFault | null {
  const { model } = body;
  if (typeof model !== 'string' || model === '') {
    const fault = expected(
      'missing_required_parameter',
      'body.model',
      "a model's, pool's or alias's name",
      model,
    );
    return { ...fault, message: `${fault.message} Name one, or run with \`--pool\`.` };
  }
  const resolution = resolve(model);
  if (resolution.kind === 'lanes' && resolution.laneIds.length > 0) return null;
  return { code: 'model_not_found', param: 'body.model', message: unknownModel(model, resolution) };
}

function unknownModel(model: string, resolution: ModelResolution): string {
  const nearest = resolution.kind === 'unknown' ? resolution.nearest : [];
  const wayOut =
    nearest.length > 0
      ? `Nearest: ${nearest.map((name) => quoteName(name)).join(', ')}.`
      : '`nightshift providers` lists what there is; `--pool` overrules the lines.';
  return `Expected \`body.model\` to be an alias, a pool, a lane or a model that some lane has, got ${quoteName(model)}. ${wayOut}`;
}
