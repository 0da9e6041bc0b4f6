/** How late the machine lets a process run that asks for nothing: what it delays this one by, it delays everybody's calls by. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A watch that goes on until it is stopped. */
export interface DelayWatch {
  /** So late, in real ms, is the latest of a thousand wake-ups. */
  stop(): number;
}

const RESOLUTION_MS = 5;
const NANOSECONDS_PER_MS = 1e6;

/** Starts watching. */
export const watchDelay = (): DelayWatch => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    stop() {
      histogram.disable();
      return Math.max(0, histogram.percentile(99.9) / NANOSECONDS_PER_MS - RESOLUTION_MS);
    },
  };
};
