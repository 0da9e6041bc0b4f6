/**
 * One window's own count, by the plain definition of its kind. A count knows nothing of requests or tokens:
 * it takes amounts at instants and says what is used. Instants must not decrease.
 */

/** What one take put into a window; given back to `settle` unchanged. */
export interface Charge {
  /** Charged so far; `settle` replaces it. */
  amount: number;
  readonly atMs: number;
}

/** The use of one window. */
export interface Count {
  /** Used in the window that an arrival at `nowMs` falls into. */
  usedAt(nowMs: number): number;
  /** Counts `amount` at `nowMs` whether or not there is room: asking first is the caller's part. */
  take(amount: number, nowMs: number): Charge;
  /** Replaces what was charged by what was really used, as of the instant of the charge where the window keeps it. */
  settle(charge: Charge, actual: number, nowMs: number): void;
  /** Another amount from now on. What is used stays used, even if it is more than the amount now. */
  resize(limitAmount: number, nowMs: number): void;
  /** How long until `amount` fits, if nothing else happens; 0 when it fits now, Infinity when it never can. */
  waitMs(amount: number, nowMs: number): number;
  /** How long until nothing is used, if nothing else happens. */
  untilUnusedMs(nowMs: number): number;
  /** How many times the full amount could have been used between the two instants, at most. */
  windowsFrom(firstMs: number, nowMs: number): number;
}
