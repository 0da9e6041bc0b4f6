/** The body of a call, made from the line as it was stored. */
import { requestedOutputTokens } from '../core/lines/chat-request.ts';
import { bodyOfLine } from '../core/lines/line-form.ts';
import { isRecord, type JsonRecord } from '../core/json/loose-json.ts';
import type { Lane, Provider } from '../core/model.ts';
import { openRouterPrice } from '../core/money/price.ts';
import { atStandardRate } from '../core/money/standard-rate.ts';
import { isTask } from '../core/tasks/task.ts';
import type { BegunCall } from './ledger.ts';

/** What is sent, and how many tokens the answer may have. */
export interface CallBody {
  readonly body: JsonRecord;
  readonly capTokens: number;
}

/**
 * The body without what the provider is known to refuse or has refused, and with a cap on the answer: the line's own
 * as it stands, else the one that was reserved. A number goes out as it was written in the line. What would change the price
 * of a paid call is left out: its budget is reckoned at the standard rate.
 *
 * @throws if the stored line is not what ingest accepted: the record was changed by hand.
 */
export const callBody = (call: BegunCall, lane: Lane, provider: Provider): CallBody => {
  const stored = provider.tier === 'paid' ? paidBody(storedBody(call), lane, provider) : storedBody(call);
  const leftOut = new Set([...provider.refusesParameters, ...call.droppedParameters, 'model']);
  const body = Object.fromEntries(Object.entries(stored).filter(([name]) => !leftOut.has(name)));
  const askedTokens = call.outputIsAsked ? requestedOutputTokens(stored) : null;
  const capTokens = askedTokens ?? Math.min(call.outputTokens, lane.maxOutputTokens);
  // The line's own cap stands under the name it has there, unless the provider does not know that name.
  const isCapped = askedTokens !== null && requestedOutputTokens(body) === askedTokens;
  return { body: isCapped ? withOneCap(body, capTokens) : { ...body, max_tokens: capTokens }, capTokens };
};

/** OpenRouter chooses among hosts with prices of their own: one that asks for more than the budget is reckoned by is refused. */
const paidBody = (stored: JsonRecord, { price }: Lane, { dialect }: Provider): JsonRecord => {
  const body = atStandardRate(stored);
  if (dialect !== 'openrouter' || price === undefined) return body;
  const preferences = isRecord(body['provider']) ? body['provider'] : {};
  return { ...body, provider: { ...preferences, max_price: openRouterPrice(price) } };
};

/** A line that names two caps gets the one that was reserved under both names: a provider may know either. */
const withOneCap = (body: JsonRecord, capTokens: number): JsonRecord =>
  typeof body['max_tokens'] === 'number' && body['max_tokens'] !== capTokens
    ? { ...body, max_tokens: capTokens }
    : body;

const storedBody = (call: BegunCall): JsonRecord => {
  if (call.task !== null && !isTask(call.task)) {
    throw new Error(
      `Expected the task of request ${call.requestId} to be one of this version, got something else. Finish the batch with the version that took it in.`,
    );
  }
  return bodyOfLine(call.line, call.task);
};
