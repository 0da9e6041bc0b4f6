import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  breakerPhase,
  type BreakerState,
  FAILURES_TO_OPEN,
  LONGEST_OPEN_MS,
  onSick,
} from '../../../src/core/failures/circuit-breaker.ts';

const NOW_MS = 1_795_158_000_000;
const CLOSED_BREAKER: BreakerState = { consecutiveFailures: 0, openUntilMs: null, openings: 0 };

function sickTimes(count: number, state: BreakerState = CLOSED_BREAKER): BreakerState {
  return Array.from({ length: count }).reduce<BreakerState>((current) => onSick(current, NOW_MS, 0), state);
}

describe('the circuit breaker', () => {
  it('stays closed for four sick outcomes and opens at the fifth', () => {
    expect(breakerPhase(sickTimes(FAILURES_TO_OPEN - 1), NOW_MS)).toEqual({ kind: 'closed', failures: 4 });
    expect(breakerPhase(sickTimes(FAILURES_TO_OPEN), NOW_MS)).toEqual({
      kind: 'open',
      untilMs: NOW_MS + 3_750,
      openings: 1,
    });
  });

  it('is not prolonged by calls that began before it opened', () => {
    const open = sickTimes(FAILURES_TO_OPEN);
    expect(sickTimes(3, open).openUntilMs).toBe(open.openUntilMs);
  });

  it('is half open when its time is over', () => {
    const open = sickTimes(FAILURES_TO_OPEN);
    const thenMs = open.openUntilMs ?? 0;
    expect(breakerPhase(open, thenMs - 1).kind).toBe('open');
    expect(breakerPhase(open, thenMs)).toEqual({ kind: 'half-open', openings: 1 });
  });

  it('opens for twice as long when the call that finds out fails', () => {
    const open = sickTimes(FAILURES_TO_OPEN);
    const thenMs = open.openUntilMs ?? 0;
    expect(onSick(open, thenMs, 0)).toEqual({
      consecutiveFailures: 6,
      openUntilMs: thenMs + 7_500,
      openings: 2,
    });
  });

  it('never opens for longer than five minutes', () => {
    fc.assert(
      fc.property(
        fc.nat(3_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (openings, random01) => {
          const state = { consecutiveFailures: 9, openUntilMs: NOW_MS - 1, openings };
          const openMs = (onSick(state, NOW_MS, random01).openUntilMs ?? 0) - NOW_MS;
          expect(openMs).toBeGreaterThanOrEqual(3_750);
          expect(openMs).toBeLessThanOrEqual(LONGEST_OPEN_MS);
        },
      ),
    );
  });
});
