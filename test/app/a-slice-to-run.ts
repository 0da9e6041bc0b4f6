/** A slice to run: a scripted ledger, a provider with scripted replies, and a health book that remembers. */
import type { Closing } from '../../src/app/health-book.ts';
import type { BegunCall, FinishedCall, Slice } from '../../src/app/ledger.ts';
import type { ProviderReply } from '../../src/app/ports.ts';
import type { CallTools } from '../../src/app/run-slice.ts';
import type { Lane, Limit } from '../../src/core/model.ts';
import { aCall, aLane, aProvider, FakeClock, recordingLog, routingFor } from './fakes.ts';

/** Ten requests a minute, with a margin of 1.2 s. */
const PER_MINUTE: Limit = { metric: 'requests', amount: 10, window: { kind: 'rolling', perMs: 60_000 } };
const UTC_DAY: Limit = {
  metric: 'requests',
  amount: 1_000,
  window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
};
/** The lane of `aCall`, limited by the minute and by the day. */
export const LANE = aLane('alpha/small', { limits: [PER_MINUTE, UTC_DAY] });

/** An answer of use, as its provider writes it. */
export const ANSWER_BODY = JSON.stringify({
  model: 'small',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14 },
});
const http = (status: number, bodyText: string, headers: Record<string, string> = {}): ProviderReply => ({
  kind: 'http',
  status,
  headers,
  bodyText,
});
/** The response that brings it. */
export const ANSWER = http(200, ANSWER_BODY);
/** An error response with that message. */
export const refusal = (
  status: number,
  message: string,
  headers: Record<string, string> = {},
): ProviderReply => http(status, JSON.stringify({ error: { message } }), headers);

/** What happens when a begin, a call or a finish is asked for; past the end, the last one again. */
export interface Course {
  readonly begins?: readonly ((slice: Slice) => readonly BegunCall[])[];
  readonly finishes?: readonly ((call: FinishedCall) => void | Promise<void>)[];
  readonly reply?: ProviderReply | Error;
  /** One per call, where they differ. */
  readonly replies?: readonly (() => ProviderReply | Error | Promise<ProviderReply>)[];
  readonly lanes?: readonly Lane[];
  /** How long each call waits for its connection. */
  readonly connectMs?: number;
}

/** The grants as they begin when nothing is in their way. */
export const beginAll = (slice: Slice): readonly BegunCall[] => slice.map((grantId) => aCall({ grantId }));

const turn = <T>(turns: readonly T[], count: number): T | undefined =>
  turns[Math.min(count, turns.length) - 1];

/** The tools for a slice, and what was done with them: steps in their order. */
export const setUp = ({
  begins = [beginAll],
  finishes = [],
  reply = ANSWER,
  replies = [() => reply],
  lanes = [LANE],
  connectMs = 0,
}: Course = {}) => {
  const steps: string[] = [];
  const finished: FinishedCall[] = [];
  const closings: Closing[] = [];
  const sent: { readonly lane: Lane; readonly body: object; readonly signal: AbortSignal }[] = [];
  const begun: Slice[] = [];
  const counts = { begins: 0, calls: 0, finishes: 0 };
  const clock = new FakeClock();
  const log = recordingLog();
  const stop = new AbortController();
  const tools: CallTools = {
    begin: async (slice) => {
      counts.begins += 1;
      steps.push('begin');
      begun.push(slice);
      const begunAtMs = clock.nowMs();
      return (turn(begins, counts.begins)?.(slice) ?? []).map((call) => ({ ...call, begunAtMs }));
    },
    pastOf: async () => null,
    finish: async (call) => {
      counts.finishes += 1;
      steps.push('finish');
      await turn(finishes, counts.finishes)?.(call);
      finished.push(call);
    },
    health: {
      pause: notAsked,
      resume: notAsked,
      close: async (closing) => {
        steps.push('close');
        closings.push(closing);
      },
      sick: async (scope) => void steps.push(`sick ${scope}`),
      gone: async (laneId) => void steps.push(`gone ${laneId}`),
      closings: async () => closings,
    },
    provider: {
      chat: async (lane, body, { signal, sent: goesOut }) => {
        steps.push('chat');
        sent.push({ lane, body, signal });
        counts.calls += 1;
        clock.advanceTo(clock.nowMs() + connectMs);
        goesOut?.();
        const replied = (await turn(replies, counts.calls)?.()) ?? ANSWER;
        if (replied instanceof Error) throw replied;
        return replied;
      },
    },
    routing: routingFor(lanes.length === 0 ? [] : [aProvider(lanes)]),
    clock,
    log,
    random01: () => 0.5,
    signal: stop.signal,
  };
  return { tools, steps, begun, finished, closings, sent, counts, clock, log, stop };
};

const notAsked = async (): Promise<never> => {
  throw new Error('Expected a worker to pause no lane, but it did.');
};

/** The final line of a finished call, parsed; `null` where it is not final. */
export const lineOf = (finished: FinishedCall | undefined): unknown => {
  const text = finished !== undefined && 'line' in finished.next ? finished.next.line : 'null';
  const line: unknown = JSON.parse(text);
  return line;
};
