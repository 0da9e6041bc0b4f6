/** How runs end, and what runs of every kind have in common on the way there. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LaneTotal } from '../app/explain.ts';
import { isFinal, linesDone, type Progress, waitsForNightUntilMs } from '../app/progress.ts';
import { CannotRun } from './run-request.ts';

/** How a run ended. */
export type RunEnd =
  | { readonly kind: 'finished'; readonly progress: Progress; readonly laneTotals: readonly LaneTotal[] }
  /** `null` while the input was still being taken in: nothing of it remains. */
  | {
      readonly kind: 'interrupted';
      readonly progress: Progress | null;
      readonly laneTotals: readonly LaneTotal[];
    }
  /** Every lane the batch may use waits for a person: keys or money. */
  | { readonly kind: 'stuck'; readonly progress: Progress; readonly laneTotals: readonly LaneTotal[] };

/** Signals of the user: the first drains, the second aborts the calls under way. */
export interface Interruption {
  readonly drain: AbortSignal;
  readonly abort: AbortSignal;
}

/** What is looked at again and again. */
export interface Watching {
  readonly look: () => Promise<Progress>;
  /** Told what was seen, after each look. */
  readonly seen: (progress: Progress) => Promise<void>;
  /** Whether something may still happen by itself. */
  readonly canMove: (progress: Progress) => boolean;
  /** A look that failed, or what followed it; throws where it is of no use to look again. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** How often progress is read and partial results are written. */
const LOOK_EVERY_MS = 500;
/** A batch that could not move at so many looks in a row never will by itself. */
const STILL_LOOKS = 4;
/**
 * One with a budget waits for plans, too, where somebody plans: the one in force may be older than the stillness, and the next
 * may have been made before the last paid call was told of.
 */
const STILL_PLANS = 3;

/**
 * Watches a batch until it is final, the signal aborts, or it stands still for good.
 *
 * @throws CannotRun if it stands still and no person can be asked to help.
 */
export const watchToEnd = async ({
  look,
  seen,
  canMove,
  failed,
  signal,
}: Watching): Promise<RunEnd['kind']> => {
  let stillLooks = 0;
  let stillPlans = new Set<number>();
  while (!signal.aborted) {
    try {
      const now = await look();
      if (isFinal(now.batch)) return 'finished';
      const isStill = !moves(now) && !canMove(now);
      stillLooks = isStill ? stillLooks + 1 : 0;
      if (!isStill) stillPlans = new Set();
      if (now.forecast !== null) stillPlans.add(now.forecast.madeAtMs);
      const awaitsPlan = now.batch.maxCostNanoDollars !== null && now.forecast !== null;
      if (stillLooks >= STILL_LOOKS && !(awaitsPlan && stillPlans.size < STILL_PLANS)) return whyStill(now);
      await seen(now);
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      failed(error);
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  return 'interrupted';
};

/** Whether it waits for somebody, or for its hours, or is being ended: that it makes no calls says nothing then. */
const moves = ({ batch, atMs }: Progress): boolean =>
  batch.isPaused || batch.state !== 'in_progress' || waitsForNightUntilMs(batch, atMs) !== null;

/** The lanes of that progress are those the batch may use. @throws CannotRun unless it is a person that some lane waits for, or money. */
const whyStill = ({ batch, lanes }: Progress): 'stuck' => {
  const waitsForKeys = lanes.some(({ closing }) => closing?.needsUser === true);
  if (waitsForKeys || batch.maxCostNanoDollars !== null) return 'stuck';
  const left = batch.total - linesDone(batch);
  throw new CannotRun(
    `Expected lanes for all lines of the batch "${batch.name}", got ${left} lines that no lane of this configuration may serve: ` +
      'their model or pool is no longer in it, or its limits have become too small for them. ' +
      'Put it back and run the same again, or run with --fresh to have them explained line by line.',
  );
};
