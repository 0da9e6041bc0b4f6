/**
 * The breaker of a lane: after some sick outcomes in a row nobody calls it for a while, longer each time, and then one
 * call is let through to see. Its state is three plain numbers, one row of a table.
 */

/** What the record keeps. A lane that nothing happened to is `{0, null, 0}`. */
export interface BreakerState {
  /** Sick outcomes since the last success, on any of the lane's calls. */
  readonly consecutiveFailures: number;
  /** No calls before this instant; `null` for a breaker that has not opened since the last success. */
  readonly openUntilMs: number | null;
  /** How often it opened since the last success: the exponent of the open time. */
  readonly openings: number;
}

/** The state as it stands at one instant. */
export type BreakerPhase =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number; readonly openings: number }
  | { readonly kind: 'half-open'; readonly openings: number };

/** Sick outcomes in a row that open it: one is chance, and a burst of parallel calls fails together. */
export const FAILURES_TO_OPEN = 5;

/** The first open time, doubled with each opening up to the longest. */
export const FIRST_OPEN_MS = 5_000;
/** A provider back from the dead waits no longer than this for its next call. */
export const LONGEST_OPEN_MS = 5 * 60_000;

/** The phase of a state at `nowMs`; exactly at `openUntilMs` it is half-open. */
export function breakerPhase(state: BreakerState, nowMs: number): BreakerPhase {
  if (state.openUntilMs === null) return { kind: 'closed', failures: state.consecutiveFailures };
  const { openUntilMs: untilMs, openings } = state;
  return untilMs > nowMs ? { kind: 'open', untilMs, openings } : { kind: 'half-open', openings };
}

/**
 * The state after a sick outcome. Outcomes of calls that began before it opened count but do not prolong it.
 *
 * @param random01 in [0, 1): spreads the open time over its upper quarter, so that lanes do not all come back at once.
 */
export function onSick(state: BreakerState, nowMs: number, random01: number): BreakerState {
  const consecutiveFailures = state.consecutiveFailures + 1;
  const phase = breakerPhase(state, nowMs);
  const opens =
    phase.kind === 'half-open' || (phase.kind === 'closed' && consecutiveFailures >= FAILURES_TO_OPEN);
  if (!opens) return { ...state, consecutiveFailures };
  const openMs = openTimeMs(state.openings) * (0.75 + random01 / 4);
  return { consecutiveFailures, openUntilMs: Math.ceil(nowMs + openMs), openings: state.openings + 1 };
}

function openTimeMs(openings: number): number {
  return Math.min(FIRST_OPEN_MS * 2 ** openings, LONGEST_OPEN_MS);
}
