/** What a fault that strikes in front of the quota puts on the wire. */
import type { ChatRequest } from '../routes/chat-request.ts';
import type { Complaint } from '../dialects/complaint.ts';
import type { Reply } from '../dialects/dialect.ts';
import type { FrontFaultRule } from './fault.ts';
import type { Exceeded } from '../windows/meter.ts';
import type { ModelState, ProviderState } from '../state.ts';
import type { SimulatedLimit, WindowName } from '../tier.ts';
import { windowName } from '../tier.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DEFAULT_MINUTE_WAIT_MS = 2_000;

/** The page a gateway shows instead of an answer. */
export function htmlPage(title: string): string {
  return `<!DOCTYPE html>\n<html><head><title>${title}</title></head>\n<body><h1>${title}</h1><hr>nginx</body></html>\n`;
}

/** An HTML answer. */
export function htmlReply(status: number, title: string): Reply {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: htmlPage(title) };
}

/** The circumstances a front fault is worded from. */
export interface StruckCall {
  readonly provider: ProviderState;
  readonly request: ChatRequest | null;
  readonly fault: FrontFaultRule;
  readonly nowMs: number;
}

/** The answer of a front fault, or null for a connection that is closed without one. */
export function frontFaultReply(call: StruckCall): Reply | null {
  const { provider, fault } = call;
  const { kind } = fault;
  const refuse = (complaint: Complaint) => provider.dialect.refuse(complaint);
  const model = call.request?.model ?? 'unknown';
  switch (kind) {
    case 'unauthorized':
    case 'forbidden':
    case 'payment-required':
    case 'insufficient-quota':
      return refuse({ kind });
    case 'gemini-bad-key':
      return refuse({ kind: 'bad-key' });
    case 'quota-day':
      return refuse({ kind: 'quota', model, nowMs: call.nowMs, exceeded: [usedUp(call, 'day')] });
    case 'quota-minute':
      return refuse({ kind: 'quota', model, nowMs: call.nowMs, exceeded: [usedUp(call, 'minute')] });
    case 'too-large':
      return refuse({
        kind: 'too-large',
        model,
        limit: tokenLimitBelow(call),
        requested: promptTokens(call) + 1,
      });
    case 'context-length':
      return refuse(contextComplaint(call));
    case 'bad-parameter':
      return refuse({ kind: 'bad-parameter', parameter: fault.parameter ?? 'temperature' });
    case 'gone':
      return refuse({ kind: 'model-not-found', model });
    case 'gone-410':
      return refuse({ kind: 'model-retired', model });
    case 'http-502-html':
      return htmlReply(502, '502 Bad Gateway');
    case 'html-200':
      return htmlReply(200, 'Just a moment...');
    case 'dead':
      return null;
  }
}

/** A limit of the tier with that window's name as if all of it were used; one is made up where the tier has none. */
function usedUp(call: StruckCall, window: WindowName): Exceeded {
  const limit = limitCalled(call, window) ?? {
    metric: 'requests',
    amount: window === 'day' ? 1_000 : 30,
    window: { kind: 'rolling', perMs: window === 'day' ? DAY_MS : MINUTE_MS },
    calledAs: window,
  };
  const untilMidnightUtcMs = DAY_MS - (call.nowMs % DAY_MS);
  const usualWaitMs = window === 'day' ? untilMidnightUtcMs : DEFAULT_MINUTE_WAIT_MS;
  return { limit, used: limit.amount, requested: 1, waitMs: call.fault.waitMs ?? usualWaitMs };
}

function limitCalled(call: StruckCall, window: WindowName): SimulatedLimit | undefined {
  return limitsOf(call).find((limit) => windowName(limit) === window);
}

function tokenLimitBelow(call: StruckCall): SimulatedLimit {
  return {
    metric: 'tokens',
    amount: Math.max(1, promptTokens(call)),
    window: { kind: 'rolling', perMs: MINUTE_MS },
  };
}

function contextComplaint(call: StruckCall): Complaint {
  const size = { promptTokens: promptTokens(call), outputTokens: call.request?.maxTokens ?? 1 };
  const contextTokens = Math.max(1, size.promptTokens + size.outputTokens - 1);
  return { kind: 'context-length', contextTokens, size };
}

function promptTokens(call: StruckCall): number {
  return call.request?.promptTokens ?? 0;
}

function limitsOf({ provider, request }: StruckCall): readonly SimulatedLimit[] {
  const state: ModelState | undefined = request === null ? undefined : provider.models.get(request.model);
  return (state?.meters ?? provider.meters).map((meter) => meter.limit);
}
