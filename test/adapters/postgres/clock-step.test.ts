/** Whether two readings of the server's clock show that somebody set it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClockReading, clockStepMs } from '../../../src/adapters/postgres/clock-step.ts';

const instant = fc.integer({ min: 0, max: 10_000_000 });
/** On the way there, and on the way back. */
const tripMs = fc.integer({ min: 0, max: 120 });

const reading = (atMs: number, thereMs: number, backMs: number, aheadMs: number): ClockReading => ({
  recordMs: 1_700_000_000_000 + atMs + aheadMs,
  askedAtMs: atMs - thereMs,
  heardAtMs: atMs + backMs,
  setting: '0 0 1',
  rate: 1,
});

const twice = fc.tuple(instant, fc.integer({ min: 900, max: 60_000 }), tripMs, tripMs, tripMs, tripMs);

describe('the clock of the server', () => {
  test('is not taken for set, however uneven the ways to it are', () => {
    fc.assert(
      fc.property(twice, fc.integer({ min: -50, max: 50 }), ([atMs, laterMs, a, b, c, d], drift) => {
        expect(clockStepMs(reading(atMs, a, b, 0), reading(atMs + laterMs, c, d, drift))).toBe(0);
      }),
    );
  });

  test('is seen to be set, either way, to within the time that reading it takes', () => {
    const step = fc.oneof(fc.integer({ min: 600, max: 1e9 }), fc.integer({ min: -1e9, max: -600 }));
    fc.assert(
      fc.property(twice, step, ([atMs, laterMs, a, b, c, d], byMs) => {
        const seenMs = clockStepMs(reading(atMs, a, b, 0), reading(atMs + laterMs, c, d, byMs));
        expect(Math.abs(seenMs - byMs)).toBeLessThanOrEqual(120);
      }),
    );
  });

  test('says nothing where a reading took long, or the record changed how it counts', () => {
    const slow = reading(2_000, 200, 200, 5_000);
    expect(clockStepMs(reading(0, 1, 1, 0), slow)).toBe(0);
    const other = { ...reading(2_000, 1, 1, 5_000), setting: '1 2 3' };
    expect(clockStepMs(reading(0, 1, 1, 0), other)).toBe(0);
  });
});
