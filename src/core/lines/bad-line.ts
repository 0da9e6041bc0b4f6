/**
 * Input lines that cannot become requests: each ends as one error line, with its number, a code and the way out, and
 * harms no other. Codes are OpenAI's where it has one (facts: Batch API validation codes). A message names fields and
 * types and may quote a short name, but never the document's text.
 */

/** Longest line in bytes, its line break aside: 4 MiB, four times the text of the largest context on offer (1M tokens). */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Why a line is bad. */
export type BadLineCode =
  | 'duplicate_custom_id'
  | 'invalid_json_line'
  | 'invalid_method'
  | 'invalid_request'
  | 'invalid_type'
  | 'invalid_url'
  | 'invalid_utf8'
  | 'invalid_value'
  | 'line_too_long'
  | 'missing_required_parameter'
  | 'model_not_found'
  /** Ours: no lane of its pool can ever take it. */
  | 'request_unservable'
  | 'streaming_unsupported';

/** A line that cannot run. `lineNumber` counts from 1, blank lines included. */
export interface BadLine {
  readonly kind: 'bad';
  readonly lineNumber: number;
  /** `null` where the line has none that could be stored. */
  readonly customId: string | null;
  readonly code: BadLineCode;
  readonly message: string;
  /** The member at fault, dotted; `null` where it is the line as a whole. */
  readonly param: string | null;
}

/** The reader found more than `MAX_LINE_BYTES` bytes before the line ended. */
export function tooLongLine(lineNumber: number, byteLength: number): BadLine {
  const mebibytes = (byteLength / (1024 * 1024)).toFixed(1);
  return wholeLine(
    lineNumber,
    'line_too_long',
    `Expected the line to be at most ${MAX_LINE_BYTES / (1024 * 1024)} MiB, got ${mebibytes} MiB. Split the document, or check that line breaks were not lost.`,
  );
}

/** The reader found bytes that are not UTF-8. */
export function notUtf8Line(lineNumber: number): BadLine {
  return wholeLine(
    lineNumber,
    'invalid_utf8',
    'Expected the line to be UTF-8, got bytes that are not. Convert the file, for instance with `iconv -f WINDOWS-1252 -t UTF-8`.',
  );
}

/** The same `custom_id` (or document id) stood on an earlier line; the first wins. */
export function duplicateLine(
  lineNumber: number,
  customId: string,
  firstLineNumber: number | null = null,
): BadLine {
  const first = firstLineNumber === null ? 'an earlier line' : `line ${firstLineNumber}`;
  return {
    kind: 'bad',
    lineNumber,
    customId,
    code: 'duplicate_custom_id',
    message: `Expected \`custom_id\` to be unique in the file, got the one of ${first}, which is the one that runs. Give this line its own.`,
    param: 'custom_id',
  };
}

/** A bad line whose fault is the line as a whole. */
export function wholeLine(lineNumber: number, code: BadLineCode, message: string): BadLine {
  return { kind: 'bad', lineNumber, customId: null, code, message, param: null };
}

/** A short name from the user's file as it may stand in a message: quoted, escaped, cut at 60 characters. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length <= 60 ? name : `${name.slice(0, 59)}…`);
}
