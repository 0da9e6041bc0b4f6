/** What an admitted call comes to: the answer of the model, or the way it fails at it. Nothing is sent here. */
import { answerTo } from './answers/answer.ts';
import type { Outcome } from './call-log.ts';
import type { Random01 } from './clock.ts';
import { countTokens, takeTokens } from './answers/count-tokens.ts';
import type { Reply } from './dialects/dialect.ts';
import { jsonReply } from './dialects/dialect.ts';
import type { WorkFault } from './faults/fault.ts';
import type { AdmittedCall } from './judge-call.ts';
import type { CallSize } from './windows/meter.ts';
import type { ProviderState } from './state.ts';

/** How an admitted call will end, known when it begins. */
export interface Performance {
  /** Null: no answer will come. */
  readonly reply: Reply | null;
  /** For a call without an answer: `hang` keeps the connection open, `reset` destroys it. */
  readonly silence: 'hang' | 'reset';
  readonly delayMs: number;
  /** What it is settled to; null takes the call back from every limit. */
  readonly used: CallSize | null;
  readonly outcome: Outcome;
}

/** Faults after which there is no usage to report. */
type BreakingFault = Exclude<WorkFault, 'slow' | 'truncated' | 'refused' | 'empty-answer'>;

interface Saying {
  readonly content: string;
  readonly completionTokens: number;
  readonly finishReason: 'stop' | 'length' | 'content_filter';
  readonly refusal?: string;
}

const DEFAULT_SLOWNESS_MS = 5_000;
const SILENT: Saying = { content: '', completionTokens: 0, finishReason: 'stop' };
const REFUSAL = 'I cannot help with that.';

/** Plans the end of an admitted call. `sequence` makes the answer's id. */
export function performCall(
  call: AdmittedCall,
  provider: ProviderState,
  chance: { readonly jitter01: Random01; readonly sequence: number; readonly nowMs: number },
): Performance {
  const answer = answerTo(call.request, call.atMost.outputTokens);
  const delayMs = latencyMs(call, answer.completionTokens, chance.jitter01);
  const say = (saying: Saying) => completion(call, saying, chance);
  const fault = call.fault;
  switch (fault?.kind) {
    case undefined:
      return spoken(call, { ...say(answer), delayMs });
    case 'slow':
      return spoken(call, { ...say(answer), delayMs: delayMs + (fault?.latencyMs ?? DEFAULT_SLOWNESS_MS) });
    case 'truncated':
      return spoken(call, { ...say(cutShort(answer)), delayMs }, 'truncated');
    case 'refused':
      return spoken(call, { ...say(refusing(call.atMost.outputTokens)), delayMs }, 'refused');
    case 'empty-answer':
      return spoken(call, { ...say(SILENT), delayMs }, 'empty-answer');
    case 'http-500':
    case 'http-503':
    case 'empty-200':
    case 'error-in-200':
    case 'not-json-200':
    case 'hang':
    case 'reset':
      return broken(call, { provider, kind: fault.kind, delayMs, whole: say(answer).reply });
  }
}

function latencyMs({ state }: AdmittedCall, completionTokens: number, jitter01: Random01): number {
  const { minMs, perOutputTokenMs = 0, jitterMs = 0 } = state.model.latency;
  return minMs + perOutputTokenMs * completionTokens + (jitterMs > 0 ? jitterMs * jitter01() : 0);
}

function spoken(
  call: AdmittedCall,
  said: { readonly reply: Reply; readonly completionTokens: number; readonly delayMs: number },
  failure?: string,
): Performance {
  const used = { ...call.atMost, outputTokens: said.completionTokens };
  const outcome: Outcome = failure === undefined ? { kind: 'succeeded' } : { kind: 'failed', failure };
  return { reply: said.reply, silence: 'reset', delayMs: said.delayMs, used, outcome };
}

/** A failure without usage: the prompt stays counted unless the tier forgives failures. */
function broken(
  call: AdmittedCall,
  failure: {
    readonly provider: ProviderState;
    readonly kind: BreakingFault;
    readonly delayMs: number;
    readonly whole: Reply;
  },
): Performance {
  const { provider, kind, delayMs } = failure;
  const used = provider.tier.countsFailed === false ? null : { ...call.atMost, outputTokens: 0 };
  const silence = kind === 'hang' ? 'hang' : 'reset';
  const reply = brokenReply(provider, kind, failure.whole);
  return { reply, silence, delayMs, used, outcome: { kind: 'failed', failure: kind } };
}

function brokenReply({ dialect }: ProviderState, kind: BreakingFault, whole: Reply): Reply | null {
  switch (kind) {
    case 'http-500':
      return dialect.refuse({ kind: 'server-error' });
    case 'http-503':
      return dialect.refuse({ kind: 'overloaded' });
    case 'empty-200':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: '' };
    case 'error-in-200':
      return jsonReply(200, {
        error: { message: 'Provider returned error', code: 502, metadata: { provider_name: 'simulated' } },
      });
    case 'not-json-200':
      return { ...whole, body: whole.body.slice(0, Math.floor(whole.body.length / 2)) };
    case 'hang':
    case 'reset':
      return null;
  }
}

function cutShort({ content }: Saying): Saying {
  const cut = takeTokens(content, Math.max(1, Math.floor(countTokens(content) / 2)));
  return { content: cut, completionTokens: countTokens(cut), finishReason: 'length' };
}

function refusing(maxTokens: number): Saying {
  const refusal = takeTokens(REFUSAL, maxTokens);
  return { content: '', completionTokens: countTokens(refusal), finishReason: 'content_filter', refusal };
}

function completion(
  { request, atMost }: AdmittedCall,
  saying: Saying,
  { sequence, nowMs }: { readonly sequence: number; readonly nowMs: number },
): { readonly reply: Reply; readonly completionTokens: number } {
  const { content, completionTokens, finishReason, refusal = null } = saying;
  const message = { role: 'assistant', content: refusal === null ? content : null, refusal };
  const body = {
    id: `chatcmpl-sim-${sequence}`,
    object: 'chat.completion',
    created: Math.floor(nowMs / 1_000),
    model: request.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    usage: {
      prompt_tokens: atMost.promptTokens,
      completion_tokens: completionTokens,
      total_tokens: atMost.promptTokens + completionTokens,
    },
    system_fingerprint: 'simulated',
  };
  return { reply: jsonReply(200, body), completionTokens };
}
