/** Waiting for another process, which sends no events: looking again in growing pauses. */

import { setTimeout as sleep } from 'node:timers/promises';

const firstPauseMs = 10;
const longestPauseMs = 200;
const pauseGrowth = 1.3;
const noticeAfterMs = 2_000;

/**
 * Starts a wait. The returned function pauses (10 ms at first, 200 ms at most) and then tells whether less than
 * `limitMs` have passed since the start. `onNotice` is called once, when the wait has lasted 2 s.
 */
export const createPatience = (onNotice: () => void): ((limitMs: number) => Promise<boolean>) => {
  const startedAtMs = performance.now();
  let pauseMs = firstPauseMs;
  let noticeIsDue = true;
  return async (limitMs) => {
    await sleep(pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * pauseGrowth);
    const waitedMs = performance.now() - startedAtMs;
    if (noticeIsDue && waitedMs > noticeAfterMs) {
      noticeIsDue = false;
      onNotice();
    }
    return waitedMs < limitMs;
  };
};
