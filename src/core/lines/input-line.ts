/**
 * One line of the user's file, read once at ingest: an OpenAI batch line, or a plain document that a task turns into a
 * request. The text itself is stored as it came; here it is only judged, and taken apart for the counting.
 */
import { type BadLine, type BadLineCode, quoteName, wholeLine } from './bad-line.ts';
import {
  type BodyFault,
  findBodyFault,
  findModelFault,
  type ModelResolution,
  requestedOutputTokens,
  wantsJson,
} from './chat-request.ts';
import { describeType, isNestedDeeperThan, isRecord, type JsonRecord, memberAt } from '../json/loose-json.ts';
import { isBatchLine, withoutByteOrderMark } from './line-form.ts';
import { type IdMember, readId } from './line-id.ts';
import { buildChatBody, type Task } from '../tasks/task.ts';
import { type PromptParts, promptParts } from '../tokens/prompt-parts.ts';

/** What the lines of a batch are read against. */
export interface ParseContext {
  /** Turns documents into requests; `null` accepts only OpenAI batch lines. */
  readonly task: Task | null;
  /** Whether `--pool` overrules the models the lines name, which are then neither needed nor looked up. */
  readonly hasPoolOverride: boolean;
  /** Lanes of a name, or the nearest names; called once per line that names a model. */
  readonly resolveModel: (name: string) => ModelResolution;
}

/** A line that can run, with what the planner needs to know of it. */
export interface RequestLine {
  readonly kind: 'request';
  readonly lineNumber: number;
  /** How the stored text is to be read again at the call. */
  readonly form: 'openai' | 'document';
  readonly customId: string;
  /** The name in the body; `null` for documents and where `--pool` overrules it. */
  readonly model: string | null;
  /** What of it reaches the model, to be counted. */
  readonly prompt: PromptParts;
  /** The body's own output cap, or the task's; `null` where neither says. */
  readonly maxTokens: number | null;
  /** Whether `maxTokens` is the user's word for this line, rather than the task's cap. */
  readonly isCapRequested: boolean;
  readonly wantsJson: boolean;
}

/** A line with nothing on it: skipped, and no line of the output. */
export interface BlankLine {
  readonly kind: 'blank';
  readonly lineNumber: number;
}

/** What a line of the input is. */
export type InputLine = RequestLine | BadLine | BlankLine;

/** Deeper JSON would exhaust the stack when it is written again; no real body comes near. */
const MAX_NESTING = 200;

const BATCH_URL = '/v1/chat/completions';

/**
 * Reads one line, without its line break. Never throws; whatever is wrong comes back as a bad line.
 *
 * Which lines are documents: see `isBatchLine`.
 */
export function parseInputLine(text: string, lineNumber: number, context: ParseContext): InputLine {
  const json = lineNumber === 1 ? withoutByteOrderMark(text) : text;
  if (json.trim() === '') return { kind: 'blank', lineNumber };
  const line = parseObject(json, lineNumber);
  if (line.kind === 'bad') return line;
  const subject: Subject = { json, lineNumber, line: line.value, context };
  return isBatchLine(line.value, context.task !== null) ? parseBatchLine(subject) : parseDocument(subject);
}

/** A line under way, as its readers share it. */
interface Subject {
  readonly json: string;
  readonly lineNumber: number;
  readonly line: JsonRecord;
  readonly context: ParseContext;
}

const ONE_OBJECT_PER_LINE = 'Write one object per line, for instance with `jq -c .`';

function parseObject(
  json: string,
  lineNumber: number,
): { readonly kind: 'object'; readonly value: JsonRecord } | BadLine {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const place = / at position (\d+)(?: \(line \d+ column \d+\))?$/u.exec(
      error instanceof Error ? error.message : '',
    )?.[1];
    const where = place === undefined ? '' : ` (from character ${Number(place) + 1} on)`;
    const message = `Expected the line to be one JSON object, got text that is not valid JSON${where}. ${ONE_OBJECT_PER_LINE}.`;
    return wholeLine(lineNumber, 'invalid_json_line', message);
  }
  if (!isRecord(value)) {
    const message = `Expected the line to be one JSON object, got ${describeType(value)}. ${ONE_OBJECT_PER_LINE} or, for an array, \`jq -c '.[]'\`.`;
    return wholeLine(lineNumber, 'invalid_request', message);
  }
  if (isNestedDeeperThan(value, MAX_NESTING)) {
    const message = `Expected the line to be nested at most ${MAX_NESTING} deep, got more. Flatten it.`;
    return wholeLine(lineNumber, 'invalid_request', message);
  }
  return { kind: 'object', value };
}

function parseBatchLine(subject: Subject): RequestLine | BadLine {
  const { line, lineNumber, context } = subject;
  const id = readId(line, subject.json, 'custom_id');
  if (id.kind === 'fault') return faultyLine(lineNumber, null, id.fault);
  const body = memberAt(line, 'body');
  if (!isRecord(body)) return faultyLine(lineNumber, id.customId, missingBody(body));
  const fault = findEnvelopeFault(line) ?? findRequestFault(body, context);
  if (fault !== null) return faultyLine(lineNumber, id.customId, fault);
  return describeRequest(subject, id.customId, body);
}

/** The members around the body, as OpenAI wants them. */
function findEnvelopeFault(line: JsonRecord): BodyFault | null {
  return (
    findMemberFault(line, 'method', 'POST', 'invalid_method') ??
    findMemberFault(line, 'url', BATCH_URL, 'invalid_url')
  );
}

function findMemberFault(
  line: JsonRecord,
  param: string,
  wanted: string,
  code: BadLineCode,
): BodyFault | null {
  const value = memberAt(line, param);
  if (value === wanted) return null;
  const got = typeof value === 'string' && value !== '' ? quoteName(value) : describeType(value);
  return {
    code: value === undefined ? 'missing_required_parameter' : code,
    param,
    message: `Expected \`${param}\` to be "${wanted}", got ${got}. Nightshift runs chat completions only.`,
  };
}

function missingBody(body: unknown): BodyFault {
  return {
    code: body === undefined ? 'missing_required_parameter' : 'invalid_type',
    param: 'body',
    message: `Expected \`body\` to be a chat completion request, got ${describeType(body)}. Put \`messages\` in it, or give plain documents with \`--task summarize\`.`,
  };
}

function findRequestFault(body: JsonRecord, context: ParseContext): BodyFault | null {
  return findBodyFault(body) ?? (context.hasPoolOverride ? null : findModelFault(body, context.resolveModel));
}

function describeRequest({ lineNumber, context }: Subject, customId: string, body: JsonRecord): RequestLine {
  const model = memberAt(body, 'model');
  const maxTokens = requestedOutputTokens(body);
  return {
    kind: 'request',
    lineNumber,
    form: 'openai',
    customId,
    model: context.hasPoolOverride || typeof model !== 'string' ? null : model,
    prompt: promptParts(body),
    maxTokens,
    isCapRequested: maxTokens !== null,
    wantsJson: wantsJson(body),
  };
}

function parseDocument(subject: Subject): RequestLine | BadLine {
  const { line, lineNumber, context } = subject;
  if (context.task === null) return withoutTask(lineNumber);
  const id = readId(line, subject.json, documentIdMember(line));
  if (id.kind === 'fault') return faultyLine(lineNumber, null, id.fault);
  const built = buildChatBody(context.task, line);
  if (built.kind === 'unfit') {
    const { field, message } = built;
    return faultyLine(lineNumber, id.customId, {
      code: 'missing_required_parameter',
      param: field,
      message,
    });
  }
  const request = describeRequest(subject, id.customId, built.body);
  return { ...request, form: 'document', model: null, isCapRequested: false };
}

function withoutTask(lineNumber: number): BadLine {
  const message =
    'Expected an OpenAI batch line with `custom_id` and `body`, got an object without them. If it is a document, say what to do with it: `--task summarize`, or `--prompt FILE`.';
  return { ...wholeLine(lineNumber, 'missing_required_parameter', message), param: 'custom_id' };
}

/** A document's own `id` comes first; `custom_id` stands in for it. */
function documentIdMember(line: JsonRecord): IdMember {
  return Object.hasOwn(line, 'id') || !Object.hasOwn(line, 'custom_id') ? 'id' : 'custom_id';
}

function faultyLine(lineNumber: number, customId: string | null, fault: BodyFault): BadLine {
  return { kind: 'bad', lineNumber, customId, ...fault };
}
