import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Meter, Ticket } from '../../src/simulator/windows/meter.ts';
import {
  admit,
  amountOf,
  changeAmount,
  countRejected,
  meterFor,
  neverFits,
  settle,
  usedNow,
} from '../../src/simulator/windows/meter.ts';
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

  it('go on with what is used when an amount is changed', () => {
    const meter = meterFor({ metric: 'requests', amount: 3, window: { kind: 'rolling', perMs: 50 } });
    for (let call = 0; call < 3; call += 1) admit([meter], { promptTokens: 1, outputTokens: 1 }, call);
    changeAmount(meter, 2, 3);
    expect(admit([meter], { promptTokens: 1, outputTokens: 1 }, 50)).toMatchObject({
      kind: 'refused',
      exceeded: [{ limit: { amount: 2 }, used: 2, waitMs: 1 }],
    });
    changeAmount(meter, 4, 50);
    expect(admit([meter], { promptTokens: 1, outputTokens: 1 }, 50).kind).toBe('admitted');
    expect(usedNow(meter, 50)).toBe(3);
  });

  it('know what can never fit', () => {
    expect(neverFits(limits.map(meterFor), { promptTokens: 50, outputTokens: 51 })?.metric).toBe('tokens');
    expect(neverFits(limits.map(meterFor), { promptTokens: 50, outputTokens: 50 })).toBeNull();
  });
});

describe('a limit of units', () => {
  const window = { kind: 'rolling', perMs: 1_000 } as const;
  const cost = fc.integer({ min: 0, max: 40_000 }).map((thousandths) => thousandths / 1_000);

  it('takes the cost of the called model for each direction, and its thousandths add up exactly', () => {
    const taken = fc.array(
      fc.record({
        promptTokens: fc.integer({ min: 0, max: 5_000 }),
        outputTokens: fc.integer({ min: 0, max: 1_000 }),
        unitCost: fc.record({ input: cost, output: cost }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(taken, (sizes) => {
        const meter = meterFor({ metric: 'units', amount: 1_000_000_000, window });
        for (const size of sizes) expect(admit([meter], size, 0).kind).toBe('admitted');
        const thousandths = sizes.map(({ promptTokens, outputTokens, unitCost }) => {
          const millionths =
            BigInt(promptTokens) * BigInt(Math.round(unitCost.input * 1_000)) +
            BigInt(outputTokens) * BigInt(Math.round(unitCost.output * 1_000));
          return (millionths + 999n) / 1_000n;
        });
        expect(meter.totalUsed).toBe(Number(thousandths.reduce((sum, amount) => sum + amount, 0n)));
      }),
    );
  });

  it('holds whole units: ten thousand calls of a tenth fill a thousand, and one more does not fit', () => {
    const meter = meterFor({ metric: 'units', amount: 1_000, window });
    const size = { promptTokens: 100, outputTokens: 0, unitCost: { input: 1, output: 9 } };
    for (let call = 0; call < 10_000; call += 1) expect(admit([meter], size, 0).kind).toBe('admitted');
    expect(usedNow(meter, 0)).toBe(1_000);
    expect(admit([meter], size, 0)).toMatchObject({
      kind: 'refused',
      exceeded: [{ used: 1_000, requested: 0.1, waitMs: 1_000 }],
    });
  });

  it('is settled to what the answer cost', () => {
    const meter = meterFor({ metric: 'units', amount: 100, window });
    const atMost = { promptTokens: 1_000, outputTokens: 1_000, unitCost: { input: 4.119, output: 34.868 } };
    const admission = admit([meter], atMost, 0);
    expect(usedNow(meter, 0)).toBe(38.987);
    settle(ticketOf(admission), { ...atMost, outputTokens: 100 }, 1);
    expect(usedNow(meter, 1)).toBe(7.606);
    expect(amountOf('units', { promptTokens: 1, outputTokens: 1 })).toBe(0);
  });
});

function ticketOf(admission: ReturnType<typeof admit>): Ticket {
  if (admission.kind === 'refused') throw new Error('Expected the call to be admitted.');
  return admission.ticket;
}

function usedBy(meters: readonly Meter[], nowMs: number): readonly number[] {
  return meters.map((meter) => meter.count.usedAt(nowMs));
}
