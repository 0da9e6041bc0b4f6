/**
 * How long a request stays away from a lane that failed it: full jitter, which spreads retries widest for the same total
 * of calls (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */

/** Upper bound of the first wait. */
export const FIRST_BACK_OFF_MS = 1_000;

/** Upper bound of every wait: a provider that is back is found within a minute. */
export const LONGEST_BACK_OFF_MS = 60_000;

/**
 * A wait in whole ms, from 0 up to min(60 s, 1 s x 2^attempt).
 *
 * @param attempt 0 for the first wait.
 * @param random01 in [0, 1).
 */
export function backOffMs(attempt: number, random01: number): number {
  return Math.floor(random01 * Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.max(0, attempt)));
}
