/** The body of a call, made from the line as it was stored. */
import { bodyOfLine } from '../core/line-form.ts';
import type { JsonRecord } from '../core/loose-json.ts';
import type { Lane, Provider } from '../core/model.ts';
import { isTask } from '../core/task.ts';
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
  if (call.task !== null && !isTask(call.task)) {
    throw new Error(`Expected the task of request ${call.requestId} to be one of this version, got something else. Finish the batch with the version that took it in.`);
  }
  return bodyOfLine(call.line, call.task);
};
