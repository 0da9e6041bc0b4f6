import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Meter, Ticket } from '../../src/simulator/windows/meter.ts';
import { admit, countRejected, meterFor, neverFits, settle } from '../../src/simulator/windows/meter.ts';
import type { SimulatedLimit } from '../../src/simulator/tier.ts';

const limits: readonly SimulatedLimit[] = [
  { metric: 'requests', amount: 3, window: { kind: 'rolling', perMs: 50 } },
  { metric: 'tokens', amount: 100, window: { kind: 'refill', perMs: 80 } },
  { metric: 'inputTokens', amount: 90, window: { kind: 'fixed', perMs: 40, anchorAtMs: 7 } },
  { metric: 'outputTokens', amount: 60, window: { kind: 'rolling', perMs: 70 } },
];

const calls = fc.array(
  fc.record({
    waitMs: fc.integer({ min: 0, max: 20 }),
    promptTokens: fc.integer({ min: 1, max: 60 }),
    outputTokens: fc.integer({ min: 1, max: 40 }),
    outputPercent: fc.integer({ min: 0, max: 100 }),
  }),
  { maxLength: 50 },
);

describe('several limits together', () => {
  it('charge all of them or none, and no peak ever exceeds its amount', () => {
    fc.assert(
      fc.property(calls, (taken) => {
        const meters = limits.map(meterFor);
        let nowMs = 0;
        for (const { waitMs, outputPercent, ...size } of taken) {
          nowMs += waitMs;
          const before = usedBy(meters, nowMs);
          const admission = admit(meters, size, nowMs);
          const added = usedBy(meters, nowMs).map((used, index) => used - (before[index] ?? 0));
          const whole = [1, size.promptTokens + size.outputTokens, size.promptTokens, size.outputTokens];
          const expected = admission.kind === 'admitted' ? whole : [0, 0, 0, 0];
          expect(added.map((amount) => Math.round(amount * 1e6) / 1e6)).toEqual(expected);
          const outputTokens = Math.floor((size.outputTokens * outputPercent) / 100);
          if (admission.kind === 'admitted') settle(admission.ticket, { ...size, outputTokens }, nowMs);
        }
        for (const meter of meters) expect(meter.peakUsed).toBeLessThanOrEqual(meter.limit.amount);
      }),
    );
  });

  it('name every limit without room in a refusal, the longest wait first', () => {
    const meters = limits.map(meterFor);
    for (let call = 0; call < 3; call += 1) admit(meters, { promptTokens: 20, outputTokens: 10 }, 0);
    const admission = admit(meters, { promptTokens: 40, outputTokens: 40 }, 0);
    expect(admission.kind).toBe('refused');
    const exceeded = admission.kind === 'refused' ? admission.exceeded : [];
    expect(exceeded.map(({ limit, waitMs }) => [limit.metric, waitMs])).toEqual([
      ['outputTokens', 70],
      ['tokens', 56],
      ['requests', 50],
      ['inputTokens', 7],
    ]);
  });

  it('take a call back entirely when it is settled to nothing', () => {
    const meters = limits.map(meterFor);
    const admission = admit(meters, { promptTokens: 20, outputTokens: 10 }, 0);
    settle(ticketOf(admission), null, 1);
    expect(meters.map((meter) => [meter.count.usedAt(1), meter.totalUsed])).toEqual(limits.map(() => [0, 0]));
  });

  it('count a rejected call as a request and as nothing else', () => {
    const meters = limits.map(meterFor);
    countRejected(meters, 0);
    expect(meters.map((meter) => meter.count.usedAt(0))).toEqual([1, 0, 0, 0]);
  });

  it('know what can never fit', () => {
    expect(neverFits(limits.map(meterFor), { promptTokens: 50, outputTokens: 51 })?.metric).toBe('tokens');
    expect(neverFits(limits.map(meterFor), { promptTokens: 50, outputTokens: 50 })).toBeNull();
  });
});

function ticketOf(admission: ReturnType<typeof admit>): Ticket {
  if (admission.kind === 'refused') throw new Error('Expected the call to be admitted.');
  return admission.ticket;
}

function usedBy(meters: readonly Meter[], nowMs: number): readonly number[] {
  return meters.map((meter) => meter.count.usedAt(nowMs));
}
