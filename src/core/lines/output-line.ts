/**
 * Final lines: OpenAI batch output lines with one more member, `nightshift`, the provenance. Each function returns one
 * line without its line break, and the line is always JSON.
 *
 * An answer's body goes in as the provider wrote it, untouched by a parse: numbers and escapes survive.
 */
import type { BadLine } from './bad-line.ts';
import type { Failure } from '../failures/failure.ts';

/** One attempt, as the user may read it. Tokens and times are `null` where they are not known. */
export interface AttemptNote {
  readonly lane: string;
  /** `succeeded` or a failure's kind. */
  readonly outcome: string;
  readonly reason: string | null;
  readonly begunAtMs: number | null;
  readonly durationMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** Where a line's result comes from. */
export interface Provenance {
  /** The lane of the last attempt; `null` where none was made. */
  readonly lane: string | null;
  /** In the order they began. */
  readonly attempts: readonly AttemptNote[];
}

/** What every line of a request has. */
export interface LineHead {
  /** Unique, by OpenAI's custom `batch_req_...`. */
  readonly id: string;
  readonly customId: string;
  readonly provenance: Provenance;
}

/** An answer, to be embedded as it came. */
export interface SuccessParts extends LineHead {
  readonly statusCode: number;
  /** The provider's `x-request-id`; `null` where it sent none. */
  readonly requestId: string | null;
  /** The response's body: JSON text, over one line or several. */
  readonly bodyText: string;
}

/**
 * The line of a success.
 *
 * @throws Error where `bodyText` is not JSON: an answer was judged before, so this is a fault of ours.
 */
export function successLine({
  id,
  customId,
  provenance,
  statusCode,
  requestId,
  bodyText,
}: SuccessParts): string {
  const head = `{"id":${JSON.stringify(id)},"custom_id":${JSON.stringify(customId)}`;
  const response = `{"status_code":${statusCode},"request_id":${JSON.stringify(requestId)},"body":${onOneLine(bodyText)}}`;
  return `${head},"response":${response},"error":null,"nightshift":${JSON.stringify(provenance)}}`;
}

/** JSON text on one line: its line breaks can only stand between tokens, for strings may not hold them raw. */
function onOneLine(bodyText: string): string {
  try {
    JSON.parse(bodyText);
  } catch (cause) {
    throw new Error(
      'Expected `bodyText` to be JSON, got text that is not. Judge it with classifyAnswer first.',
      { cause },
    );
  }
  return /[\r\n]/u.test(bodyText) ? bodyText.replaceAll(/[\r\n]+/gu, ' ').trim() : bodyText;
}

/** A request that no lane could serve, or whose tries are spent. */
export interface FailureParts extends LineHead {
  /** The last failure, which names the line's error. */
  readonly failure: Failure;
  /** The HTTP status of the last response; `null` where none came. */
  readonly statusCode: number | null;
  readonly requestId: string | null;
}

/**
 * The line of a failure. As OpenAI does it, a failure that came over HTTP is a `response` with an error in its body and
 * `error: null`; one without a response is the line's `error`.
 */
export function failedLine({ statusCode, requestId, failure, ...head }: FailureParts): string {
  const { kind, reason } = failure;
  const code = kind.replaceAll('-', '_');
  if (statusCode === null) return writeLine(head, null, { code, message: reason });
  const param = failure.kind === 'bad-request' ? failure.parameter : null;
  const error = { message: reason, type: code, param, code };
  return writeLine(head, { status_code: statusCode, request_id: requestId, body: { error } }, null);
}

/** The line of an input line that could not be run; `error` has the members of OpenAI's `BatchError`, `custom_id` is null if it had none. */
export function badLine(id: string, { customId, code, message, param, lineNumber }: BadLine): string {
  const provenance: Provenance = { lane: null, attempts: [] };
  return writeLine({ id, customId, provenance }, null, { code, message, param, line: lineNumber });
}

/** The line of a request that was cancelled before it was done. */
export function cancelledLine(head: LineHead): string {
  return writeLine(head, null, {
    code: 'batch_cancelled',
    message: 'The batch was cancelled before this line was done.',
  });
}

/** The line of a request that was not done when its batch's deadline came; in OpenAI's words. */
export function expiredLine(head: LineHead): string {
  return writeLine(head, null, {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  });
}

type AnyHead = Omit<LineHead, 'customId'> & { readonly customId: string | null };

function writeLine(
  { id, customId, provenance }: AnyHead,
  response: object | null,
  error: object | null,
): string {
  return JSON.stringify({ id, custom_id: customId, response, error, nightshift: provenance });
}
