/** Real time by the process's own clock, which nobody sets. */
import { setTimeout as after } from 'node:timers/promises';
import type { RealTime } from '../../app/planning.ts';

/** The {@link RealTime} of this process. */
export const realTime: RealTime = {
  nowMs: () => performance.now(),
  // The only error is that it was aborted.
  sleep: (ms, signal) => after(ms, undefined, { signal }).catch(() => {}),
};
