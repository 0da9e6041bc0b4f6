import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BegunCall, FinishedCall } from '../../src/app/ledger.ts';
import type { Routing } from '../../src/app/ports.ts';
import { attemptNotes, settleCall } from '../../src/app/settle-call.ts';
import { canEverServe } from '../../src/core/matching.ts';
import type { Failure } from '../../src/core/failures/failure.ts';
import type { Lane, Limit } from '../../src/core/model.ts';
import { anyFailure } from './failures.ts';
import { aCall, aLane, aProvider, NOW_MS, routingFor } from './fakes.ts';

const tokensPerMinute = (amount: number): Limit => ({
  metric: 'tokens',
  amount,
  window: { kind: 'rolling', perMs: 60_000 },
});
const HERE = aLane('alpha/small');
const LANES: readonly Lane[] = [
  HERE,
  aLane('alpha/large', { contextTokens: 131_072, maxOutputTokens: 8_192 }),
  aLane('beta/narrow', { limits: [tokensPerMinute(3_000)] }),
  aLane('beta/brief', { contextTokens: 32_768, maxOutputTokens: 256 }),
  aLane('gamma/small'),
];

const others = fc.subarray(['alpha/large', 'beta/narrow', 'beta/brief', 'gamma/small', 'beta', 'gamma']);
const someLanes = fc.subarray(LANES.slice(1)).map((lanes) => [HERE, ...lanes]);
const attempt = fc.record({
  lane: fc.constantFrom(...LANES.map((lane) => lane.id)),
  outcome: fc.constantFrom('sick', 'unreachable', 'bad-request', 'lost', 'aborted', 'minute-limit'),
  reason: fc.option(fc.string({ unit: 'binary', maxLength: 9 })),
  begunAtMs: fc.option(fc.constant(NOW_MS - 60_000)),
  durationMs: fc.option(fc.nat(9_999)),
  promptTokens: fc.constant(null),
  completionTokens: fc.constant(null),
  isBeforeRetry: fc.boolean(),
});

/** A call that was granted on `alpha/small`: what it excludes and needs allowed that. */
const anyCall: fc.Arbitrary<BegunCall> = fc
  .record({
    customId: fc.string({ minLength: 1, maxLength: 9 }),
    promptTokens: fc.integer({ min: 1, max: 4_096 }),
    mostOutputTokens: fc.integer({ min: 1, max: 8_192 }),
    outputIsAsked: fc.boolean(),
    tries: fc.nat(3),
    excluded: others,
    avoided: others,
    droppedParameters: fc.subarray(['seed', 'top_k']),
    trail: fc.array(attempt, { maxLength: 6 }),
  })
  .map((call) => {
    const outputTokens = Math.min(call.mostOutputTokens, HERE.maxOutputTokens);
    // A cap that a line asks for is never cut: such a call would not be here.
    const mostOutputTokens = call.outputIsAsked ? outputTokens : call.mostOutputTokens;
    return aCall({ ...call, outputTokens, mostOutputTokens });
  });

const routed = (lanes: readonly Lane[]): Routing => {
  const byProvider = Map.groupBy(lanes, (lane) => lane.providerId);
  return routingFor([...byProvider.values()].map((own) => aProvider(own)));
};

/** Lanes that can serve the request as the record now has it, some day. */
const lanesLeft = (finished: FinishedCall, call: BegunCall, routing: Routing): readonly Lane[] => {
  const { promptTokens, outputIsAsked } = call;
  const outputTokens = finished.outputCapTokens ?? call.mostOutputTokens;
  return routing.lanesOf('all').filter((lane) => {
    const provider = routing.provider(lane.providerId);
    const isExcluded = [lane.id, lane.providerId].some((scope) => finished.excluded.includes(scope));
    return (
      !isExcluded &&
      provider !== undefined &&
      canEverServe(provider, lane, { promptTokens, outputTokens, outputIsAsked })
    );
  });
};

const chance = fc.double({ min: 0, max: 0.999, noNaN: true });
const REPLY = { kind: 'http', status: 500, headers: {}, bodyText: '' } as const;

const expectWholeLine = (line: string, call: BegunCall, verdict: Failure): void => {
  const parsed: unknown = JSON.parse(line);
  expect(parsed).toMatchObject({
    custom_id: call.customId,
    nightshift: { attempts: [...attemptNotes(call.trail), { lane: HERE.id, outcome: verdict.kind }] },
  });
};

const expectToBeServed = (finished: FinishedCall, call: BegunCall, routing: Routing): void => {
  expect(lanesLeft(finished, call, routing)).not.toHaveLength(0);
  expect(waitsUntilMs(finished)).toBeGreaterThanOrEqual(NOW_MS);
  expect(finished.excluded).toEqual(expect.arrayContaining([...call.excluded]));
  expect(finished.droppedParameters).toEqual(expect.arrayContaining([...call.droppedParameters]));
};

const waitsUntilMs = ({ next }: FinishedCall): number => {
  if (next.kind === 'parked') return next.untilMs;
  return next.kind === 'pending' ? (next.avoidUntilMs ?? NOW_MS) : NOW_MS;
};

describe('settleCall, for any failure and history', () => {
  it('ends a request with a line that parses, or leaves it to a lane that can serve it', () => {
    fc.assert(
      fc.property(anyFailure, anyCall, someLanes, chance, (verdict, call, lanes, random01) => {
        const routing = routed(lanes);
        const poolLaneIds = lanes.map((lane) => lane.id);
        const { finished } = settleCall(
          {
            call: { ...call, poolLaneIds },
            lane: HERE,
            reply: REPLY,
            verdict,
            told: null,
            capTokens: call.outputTokens,
            nowMs: NOW_MS,
            random01,
          },
          routing,
        );
        expect(['failed', 'pending', 'parked']).toContain(finished.next.kind);
        if ('line' in finished.next) expectWholeLine(finished.next.line, call, verdict);
        else expectToBeServed(finished, call, routing);
      }),
      { numRuns: 1_000 },
    );
  });
});
