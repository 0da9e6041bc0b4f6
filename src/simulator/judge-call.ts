/**
 * The gate: whether a call is served. The order is that of the real APIs: key, injected trouble in front, body,
 * model, parameters, context, what can never fit, calls under way, and last the windows, all or none.
 */
import type { Outcome } from './call-log.ts';
import type { ChatRequest } from './routes/chat-request.ts';
import { parseChat } from './routes/chat-request.ts';
import type { Complaint } from './dialects/complaint.ts';
import { describeLimit } from './describe-limit.ts';
import type { FaultRule, FrontFaultRule, WorkFaultRule } from './faults/fault.ts';
import { isFrontFault, isWorkFault } from './faults/fault.ts';
import type { CallSize, Ticket } from './windows/meter.ts';
import { admit, amountOf, countRejected, neverFits } from './windows/meter.ts';
import type { ModelState, ProviderState, World } from './state.ts';

/** One call as it reached the gate. */
export interface ArrivedCall {
  readonly provider: ProviderState;
  readonly authorization: string | undefined;
  readonly bodyText: string;
  readonly nowMs: number;
}

/** An admitted call: charged at `atMost`, to be settled when it ends. */
export interface AdmittedCall {
  readonly kind: 'admitted';
  readonly request: ChatRequest;
  readonly state: ModelState;
  readonly ticket: Ticket;
  readonly atMost: CallSize;
  /** A fault of the model at work, or null. */
  readonly fault: WorkFaultRule | null;
}

/** What the gate says. `request` is null where there was none to read. */
export type Verdict =
  | AdmittedCall
  | { readonly kind: 'struck'; readonly request: ChatRequest | null; readonly fault: FrontFaultRule }
  | {
      readonly kind: 'refused';
      readonly request: ChatRequest | null;
      readonly complaint: Complaint;
      readonly outcome: Outcome;
    };

/** Judges one call and, if it is admitted, charges it. */
export function judgeCall(world: World, call: ArrivedCall): Verdict {
  const { provider, nowMs } = call;
  provider.firstCallAtMs ??= nowMs;
  const parsed = parseChat(call.bodyText);
  const request = parsed.kind === 'request' ? parsed.request : null;
  if (!hasKey(call)) return refused(request, { kind: 'unauthorized' });
  const fault = strike(world, call, request);
  if (fault !== null && isFrontFault(fault)) return { kind: 'struck', request, fault };
  if (parsed.kind === 'unreadable') return refused(null, { ...parsed, kind: 'bad-request' });
  return judgeRequest(parsed.request, call, fault !== null && isWorkFault(fault) ? fault : null);
}

function judgeRequest(request: ChatRequest, call: ArrivedCall, fault: WorkFaultRule | null): Verdict {
  const { provider } = call;
  const state = provider.models.get(request.model);
  if (state === undefined) return refused(request, { kind: 'model-not-found', model: request.model });
  const atMost = sizeAtMost(request, state);
  const complaint = objection(request, { provider, state, atMost });
  return complaint === null ? gate({ request, state, atMost, fault, call }) : refused(request, complaint);
}

function strike(
  world: World,
  { provider, nowMs }: ArrivedCall,
  request: ChatRequest | null,
): FaultRule | null {
  const target = {
    provider: provider.tier.id,
    model: request?.model ?? null,
    hasParameter: (name: string) => request !== null && name in request.members,
  };
  return world.faults.strike(target, nowMs - world.startedAtMs);
}

/** Whether the caller has the tier's key. The key itself goes nowhere. */
export function hasKey(call: Pick<ArrivedCall, 'provider' | 'authorization'>): boolean {
  const { apiKey } = call.provider.tier;
  return apiKey === undefined || call.authorization === `Bearer ${apiKey}`;
}

function sizeAtMost({ promptTokens, maxTokens }: ChatRequest, { model }: ModelState): CallSize {
  const roomTokens = Math.max(1, model.contextTokens - promptTokens);
  const outputTokens = maxTokens ?? Math.min(model.maxOutputTokens, roomTokens);
  return {
    promptTokens,
    outputTokens,
    ...(model.unitCost === undefined ? {} : { unitCost: model.unitCost }),
  };
}

/** What is wrong with the request itself, whatever has been used so far; null if nothing is. */
function objection(
  request: ChatRequest,
  {
    provider,
    state,
    atMost,
  }: { readonly provider: ProviderState; readonly state: ModelState; readonly atMost: CallSize },
): Complaint | null {
  const { model } = state;
  const refusedParameter = provider.tier.refusesParameters?.find((name) => name in request.members);
  if (refusedParameter !== undefined) return { kind: 'bad-parameter', parameter: refusedParameter };
  if (provider.tier.dialect === 'cloudflare' && !request.plainContent) {
    return { kind: 'bad-request', message: 'messages: content must be a string', parameter: 'messages' };
  }
  if (atMost.outputTokens > model.maxOutputTokens) {
    const message = `max_tokens is too large: ${atMost.outputTokens}. This model supports at most ${model.maxOutputTokens} completion tokens.`;
    return { kind: 'bad-request', message, parameter: 'max_tokens' };
  }
  if (atMost.promptTokens + atMost.outputTokens > model.contextTokens) {
    return { kind: 'context-length', contextTokens: model.contextTokens, size: atMost };
  }
  const limit = neverFits(state.meters, atMost);
  if (limit === null) return null;
  return { kind: 'too-large', model: model.id, limit, requested: amountOf(limit.metric, atMost) };
}

function gate(asked: {
  readonly request: ChatRequest;
  readonly state: ModelState;
  readonly atMost: CallSize;
  readonly fault: WorkFaultRule | null;
  readonly call: ArrivedCall;
}): Verdict {
  const { request, state, atMost, fault, call } = asked;
  const busy = concurrencyLimitReached(call.provider, state);
  if (busy !== null) {
    noteRejection(call, state);
    return rejected(request, { kind: 'concurrency', model: request.model, limit: busy }, 'concurrency');
  }
  const admission = admit(state.meters, atMost, call.nowMs);
  if (admission.kind === 'admitted') {
    return { kind: 'admitted', request, state, ticket: admission.ticket, atMost, fault };
  }
  noteRejection(call, state);
  const { exceeded } = admission;
  const complaint: Complaint = { kind: 'quota', model: request.model, exceeded, nowMs: call.nowMs };
  return rejected(request, complaint, describeLimit(exceeded[0].limit));
}

function concurrencyLimitReached(
  { tier, tally }: ProviderState,
  { model, tally: own }: ModelState,
): number | null {
  if (own.inFlight >= (model.concurrency ?? Number.POSITIVE_INFINITY)) return model.concurrency ?? null;
  return tally.inFlight >= (tier.concurrency ?? Number.POSITIVE_INFINITY) ? (tier.concurrency ?? null) : null;
}

function noteRejection({ provider, nowMs }: ArrivedCall, state: ModelState): void {
  if (provider.tier.countsRejected === true) countRejected(state.meters, nowMs);
}

function rejected(request: ChatRequest, complaint: Complaint, limit: string): Verdict {
  return { kind: 'refused', request, complaint, outcome: { kind: 'rejected', limit } };
}

function refused(request: ChatRequest | null, complaint: Complaint): Verdict {
  return { kind: 'refused', request, complaint, outcome: { kind: 'failed', failure: complaint.kind } };
}
