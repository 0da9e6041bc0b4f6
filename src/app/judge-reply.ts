/** What a reply is worth: an answer that somebody can use, or a failure. Pure. */
import { type Answer, classifyAnswer } from '../core/failures/classify-answer.ts';
import { classifyFailure } from '../core/failures/classify-failure.ts';
import type { ProviderSignal } from '../core/failures/evidence.ts';
import type { Failure } from '../core/failures/failure.ts';
import { wantsJson } from '../core/lines/chat-request.ts';
import type { Lane, Provider } from '../core/model.ts';
import type { CallBody } from './call-body.ts';
import type { BegunCall } from './ledger.ts';
import type { ProviderReply } from './ports.ts';

/** The call that a reply is to. */
export interface Circumstances {
  readonly call: BegunCall;
  readonly lane: Lane;
  readonly provider: Provider;
  readonly sent: CallBody;
  readonly nowMs: number;
}

/** An answer, or a failure of its kind; nothing is believed that cannot be. */
export const judgeReply = (
  reply: ProviderReply,
  { call, lane, provider, sent, nowMs }: Circumstances,
): Answer | Failure => {
  const common = { dialect: provider.dialect, model: lane.model, nowMs };
  if (reply.kind === 'transport') {
    return classifyFailure({
      ...common,
      status: null,
      headers: {},
      bodyText: reply.message,
      transport: reply.problem,
    });
  }
  const signal: ProviderSignal = {
    ...common,
    status: reply.status,
    headers: reply.headers,
    bodyText: reply.bodyText,
  };
  if (reply.status < 200 || reply.status > 299) return classifyFailure(signal);
  const asked = {
    wantsJson: wantsJson(sent.body),
    capTokens: sent.capTokens,
    isCapOurs: !call.outputIsAsked,
    promptText: () => JSON.stringify(sent.body),
  };
  return believable(classifyAnswer(signal, asked), lane, provider);
};

/** The record counts no further, of both directions together. */
const MOST_COUNTED = 1_000_000_000;

/**
 * No call takes twice its model's context. A usage that says so is not believed, and the estimate stands; but what a paid
 * provider claims it will bill, true or not.
 */
const believable = (
  verdict: Answer | Failure,
  { contextTokens }: Lane,
  { tier }: Provider,
): Answer | Failure => {
  if (!('usage' in verdict) || verdict.usage === null) return verdict;
  const { promptTokens, completionTokens } = verdict.usage;
  if (promptTokens + completionTokens <= contextTokens * 2) return verdict;
  if (tier !== 'paid') return { ...verdict, usage: null };
  const usage = {
    promptTokens: Math.min(MOST_COUNTED, promptTokens),
    completionTokens: Math.min(MOST_COUNTED, completionTokens),
  };
  return { ...verdict, usage };
};
