/** Whether somebody set the server's clock between two readings of it. Pure. */

/** One reading of the record's clock, between two readings of a clock that nobody sets; all in milliseconds. */
export interface ClockReading {
  readonly recordMs: number;
  readonly askedAtMs: number;
  readonly heardAtMs: number;
  /** Equal while the record's own clock runs the same way (tests set it). */
  readonly setting: string;
  /** Milliseconds of the record per real one. */
  readonly rate: number;
}

/** What two clocks may drift apart within seconds, and the coarseness of the machine's uptime; the quota's margin is at least this. */
const TOLERANCE_MS = 100;
/** A reading that took longer says too little. */
const SLOWEST_READING_MS = 250;

/** By how much the clock was set, in whole milliseconds of the record; 0 where it was not, or nobody can tell. */
export const clockStepMs = (before: ClockReading, after: ClockReading): number => {
  if (before.setting !== after.setting) return 0;
  if ([before, after].some((reading) => reading.heardAtMs - reading.askedAtMs > SLOWEST_READING_MS)) return 0;
  const middleMs = (reading: ClockReading): number => (reading.askedAtMs + reading.heardAtMs) / 2;
  const passedMs = (middleMs(after) - middleMs(before)) * after.rate;
  const uncertainMs =
    (before.heardAtMs - before.askedAtMs + after.heardAtMs - after.askedAtMs + TOLERANCE_MS) * after.rate;
  const stepMs = after.recordMs - before.recordMs - passedMs;
  return Math.abs(stepMs) > uncertainMs ? Math.round(stepMs) : 0;
};
