/** How fast lines are done, over a window that slides. */

/** Long enough for a minute's quota to come round once, short enough to follow a lane that closes. */
const WINDOW_MS = 60_000;
/** A pace from less than this says nothing. */
const SHORTEST_SPAN_MS = 3_000;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** Watches the number of lines done. */
export interface Pace {
  /** Takes note of a count and returns lines per minute over the last minute; `null` while too little was seen. */
  observe(atMs: number, done: number): number | null;
}

/** A pace that has seen nothing yet. */
export function createPace(): Pace {
  let samples: readonly Sample[] = [];
  return {
    observe(atMs, done) {
      const before = samples.findLast((sample) => sample.atMs <= atMs - WINDOW_MS);
      const within = samples.filter((sample) => sample.atMs > atMs - WINDOW_MS);
      samples = [...(before === undefined ? [] : [before]), ...within, { atMs, done }];
      const first = samples[0];
      if (first === undefined || atMs - first.atMs < SHORTEST_SPAN_MS) return null;
      return ((done - first.done) / (atMs - first.atMs)) * 60_000;
    },
  };
}
