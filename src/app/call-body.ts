/** The body of a call, made from the line as it was stored. */
import { isRecord, type JsonRecord, memberAt } from '../core/loose-json.ts';
import { parseLossless } from '../core/lossless-json.ts';
import type { Lane, Provider } from '../core/model.ts';
import { buildChatBody, type Task } from '../core/task.ts';
import type { BegunCall } from './ports.ts';

/** The names a body may cap its answer by, the newer first. */
const CAP_NAMES = ['max_completion_tokens', 'max_tokens'] as const;

/** What is sent, and how many tokens the answer may have. */
export interface CallBody {
  readonly body: JsonRecord;
  readonly capTokens: number;
}

/**
 * The body without what the provider is known to refuse or has refused, and with a cap on the answer: the line's own,
 * else the one that was reserved. A number goes out as it was written in the line.
 *
 * @throws if the stored line is not what ingest accepted: the record was changed by hand.
 */
export const callBody = (call: BegunCall, lane: Lane, provider: Provider): CallBody => {
  const stored = storedBody(call);
  const capName = CAP_NAMES.find((name) => stored[name] !== undefined && stored[name] !== null) ?? 'max_tokens';
  const capTokens = call.outputIsAsked ? call.outputTokens : Math.min(call.outputTokens, lane.maxOutputTokens);
  const leftOut = new Set([...provider.refusesParameters, ...call.droppedParameters, ...CAP_NAMES, 'model']);
  const kept = Object.entries(stored).filter(([name]) => !leftOut.has(name));
  return { body: { ...Object.fromEntries(kept), [capName]: capTokens }, capTokens };
};

const storedBody = (call: BegunCall): JsonRecord => {
  const line = parseLossless(call.line.replace(/^\uFEFF/u, ''));
  const body = memberAt(line, 'body');
  if (isRecord(line) && isRecord(body) && memberAt(line, 'custom_id') !== undefined) return body;
  if (!isRecord(line) || call.task === null) {
    throw new Error(`Expected request ${call.requestId} to hold the line that was taken in, got something else.`);
  }
  const built = buildChatBody(call.task as Task, line);
  if (built.kind === 'unfit') throw new Error(built.message);
  return built.body;
};
