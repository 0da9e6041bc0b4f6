import { describe, expect, it } from 'vitest';
import { callLengths } from '../../../src/core/plan/call-length.ts';

/** Of a lane that is waited for the first time. */
const lengthOnceWaitedFor = (waitingMs: number) =>
  callLengths([{ callMs: null, waitingMs, hasEnded: false }]);

describe('how long calls take', () => {
  it('is what they took, and on a lane that has shown nothing the median of the others', () => {
    const timings = [
      { callMs: 1_000, waitingMs: 500, hasEnded: false },
      { callMs: null, waitingMs: null, hasEnded: false },
      { callMs: 30_000, waitingMs: null, hasEnded: false },
      { callMs: 2_000, waitingMs: 9_000, hasEnded: false },
    ];
    expect(callLengths(timings)).toEqual([
      { callMs: 1_000 },
      { callMs: 2_000, guess: 'untold' },
      { callMs: 30_000 },
      { callMs: 2_000 },
    ]);
  });

  it('is five seconds where nobody has shown anything', () => {
    expect(callLengths([{ callMs: null, waitingMs: null, hasEnded: false }])).toEqual([
      { callMs: 5_000, guess: 'untold' },
    ]);
  });

  it('is twice as long as a first answer has been waited for, which tells any moment, but not for ever', () => {
    expect(lengthOnceWaitedFor(1_000)).toEqual([{ callMs: 5_000, guess: 'awaited' }]);
    expect(lengthOnceWaitedFor(20_000)).toEqual([{ callMs: 40_000, guess: 'awaited' }]);
    expect(lengthOnceWaitedFor(45_000)).toEqual([{ callMs: 90_000, guess: 'untold' }]);
  });

  it('is not awaited of a lane whose calls have come back and told nothing', () => {
    expect(callLengths([{ callMs: null, waitingMs: 1_000, hasEnded: true }])).toEqual([
      { callMs: 5_000, guess: 'untold' },
    ]);
  });
});
