/**
 * The most that a limit can give by an instant, to somebody who takes whatever there is as soon as it is there. Written
 * for tests, from what windows are, with nothing of the planner's in it.
 */
import type { PlanLimit } from '../../../src/core/plan/situation.ts';
import { windowEndMs, windowMs } from '../../../src/core/quota/window.ts';

interface Ending {
  readonly atMs: number;
  readonly amount: number;
}

/** So many windows are gone through one by one; of more of them the ends do not matter. */
const MOST_WINDOWS = 1_000;

/** From now until then; margins are left out, so a plan that allows for them gives less. */
export const mostBy = (limit: PlanLimit, nowMs: number, untilMs: number): number => {
  const { amount, used, freeings, window } = limit;
  if (window.kind === 'refill')
    return Math.max(0, amount - used + (amount * (untilMs - nowMs)) / window.perMs);
  if ((untilMs - nowMs) / windowMs(window) > MOST_WINDOWS)
    return amount * ((untilMs - nowMs) / windowMs(window) + 1);
  const known = freeings.reduce((sum, freeing) => sum + freeing.amount, 0);
  // What nobody knows the end of is counted from now at the earliest.
  const unknown = { atMs: endOfTaken(limit, nowMs), amount: Math.max(0, used - known) };
  let counted: readonly Ending[] = [...freeings, unknown].filter((ending) => ending.amount > 0);
  let taken = 0;
  for (let atMs = nowMs; atMs <= untilMs;) {
    const at = atMs;
    counted = counted.filter((ending) => ending.atMs > at);
    const free = amount - counted.reduce((sum, ending) => sum + ending.amount, 0);
    if (free > amount * 1e-9) {
      taken += free;
      counted = [...counted, { atMs: endOfTaken(limit, at), amount: free }];
    }
    atMs = Math.min(...counted.map((ending) => ending.atMs));
  }
  return taken;
};

/** When what is taken at an instant ends. */
const endOfTaken = ({ window, freeings }: PlanLimit, atMs: number): number => {
  switch (window.kind) {
    case 'refill':
    case 'rolling':
      return atMs + window.perMs;
    case 'session': {
      const openUntilMs = freeings.at(-1)?.atMs ?? -Infinity;
      return openUntilMs > atMs ? openUntilMs : atMs + window.perMs;
    }
    case 'fixed':
    case 'fixed-month':
    case 'calendar':
      return windowEndMs(window, atMs);
  }
};
