/** The two forms of input lines, and the body that a stored line stands for. */
import { isRecord, type JsonRecord, memberAt } from '../json/loose-json.ts';
import { parseLossless } from '../json/lossless-json.ts';
import { buildChatBody, type Task } from '../tasks/task.ts';

/**
 * Whether a line is an OpenAI batch line rather than a document: with a task, if it has `custom_id` and an object as
 * `body` (articles have a `body` too, but it is text); without one, if it has either.
 */
export function isBatchLine(line: JsonRecord, hasTask: boolean): boolean {
  const hasId = Object.hasOwn(line, 'custom_id');
  const hasBody = isRecord(memberAt(line, 'body'));
  return hasTask ? hasId && hasBody : hasId || hasBody;
}

/** The text without the mark that some editors put at the start of a file. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/**
 * The body to send for a line that was accepted at ingest, its numbers as they were written; a document's has no
 * `model`. The caller sets `model` and the output cap.
 *
 * @throws Error where the line could not have been accepted with this task.
 */
export function bodyOfLine(text: string, task: Task | null): JsonRecord {
  const line = parseLossless(withoutByteOrderMark(text));
  if (!isRecord(line)) throw new Error('Expected the stored line to be a JSON object, got something else.');
  if (isBatchLine(line, task !== null)) return batchBody(line);
  if (task === null) throw new Error('Expected the stored document to have a task, got none.');
  const built = buildChatBody(task, line);
  if (built.kind === 'unfit')
    throw new Error(`Expected the stored document to fit its task. ${built.message}`);
  return built.body;
}

function batchBody(line: JsonRecord): JsonRecord {
  const body = memberAt(line, 'body');
  if (!isRecord(body)) throw new Error('Expected the stored line to have a `body`, got none.');
  return body;
}
