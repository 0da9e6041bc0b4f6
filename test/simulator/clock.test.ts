import { describe, expect, it } from 'vitest';
import { acceleratedClock, steadyClock } from '../../src/simulator/clock.ts';

describe('an accelerated clock', () => {
  it('says its origin at the real origin and runs at its rate from there', () => {
    const realOriginMs = steadyClock.nowMs() - 5_000;
    const originMs = Date.UTC(2026, 9, 31, 12);
    const beforeMs = steadyClock.nowMs();
    const nowMs = acceleratedClock({ realOriginMs, originMs, rate: 1_000 }).nowMs();
    const afterMs = steadyClock.nowMs();
    // Two milliseconds for what instants of this size leave of their last digits.
    expect(nowMs).toBeGreaterThanOrEqual(originMs + (beforeMs - realOriginMs) * 1_000 - 2);
    expect(nowMs).toBeLessThanOrEqual(originMs + (afterMs - realOriginMs) * 1_000 + 2);
  });

  it('must not stand still or run backwards', () => {
    for (const rate of [0, -1, Number.NaN]) {
      expect(() => acceleratedClock({ realOriginMs: 0, originMs: 0, rate })).toThrow('more than 0');
    }
  });
});
