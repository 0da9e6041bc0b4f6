/** Cleans up after dead processes, wakes what is due, adds lost jobs again, and ends the lines of batches that were cancelled or expire. */
import { endOpenLines } from './cancel.ts';
import type { BatchStore } from './batch-store.ts';
import type { GrantLedger } from './ledger.ts';
import type { Clock, LaneQueues, Log } from './ports.ts';

/** What housekeeping needs. */
export interface HousekeepingTools {
  readonly ledger: GrantLedger;
  readonly queues: LaneQueues;
  readonly store: BatchStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often the dead are looked for. */
const SWEEP_EVERY_MS = 1_000;
/** How long lines are ended between two sweeps. */
const END_LINES_FOR_MS = 500;
/** How often queues that nobody needs any more are looked for. */
const TIDY_EVERY_MS = 60_000;

/** Sweeps once a second, and exactly when the next parked request falls due or a deadline comes, until the signal aborts. Never rejects. */
export const housekeep = async (tools: HousekeepingTools, signal: AbortSignal): Promise<void> => {
  const { clock, log } = tools;
  let nextTidyMs = clock.nowMs();
  while (!signal.aborted) {
    let nextMs = clock.nowMs() + SWEEP_EVERY_MS;
    try {
      const nextDueAtMs = await sweepOnce(tools);
      if (nextDueAtMs !== null) nextMs = Math.min(nextMs, Math.max(nextDueAtMs, clock.nowMs() + 1));
      await endLines(tools, signal);
      if (clock.nowMs() >= nextTidyMs) {
        nextTidyMs = clock.nowMs() + TIDY_EVERY_MS;
        await removeUnusedQueues(tools);
      }
    } catch (error) {
      log.error({ err: error }, 'sweep.failed');
    }
    await clock.sleepUntil(nextMs, signal);
  }
};

/** One sweep; when the next parked request falls due, or the next deadline comes. */
export const sweepOnce = async ({
  ledger,
  queues,
  log,
}: Pick<HousekeepingTools, 'ledger' | 'queues' | 'log'>): Promise<number | null> => {
  const { missingJobs, nextDueAtMs } = await ledger.sweep();
  for (const [laneId, jobs] of Map.groupBy(missingJobs, (job) => job.laneId)) {
    await queues.addAgain(
      laneId,
      jobs.map((job) => job.slice),
    );
    log.warn({ laneId, jobs: jobs.length }, 'jobs.added-again');
  }
  return nextDueAtMs;
};

/** What is left of a long batch is ended after the next sweep: others have lines that fall due. */
const endLines = async ({ store }: HousekeepingTools, signal: AbortSignal): Promise<void> => {
  const ending = await store.endingIds();
  if (ending.length === 0) return;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(END_LINES_FOR_MS)]);
  for (const batchId of ending) await endOpenLines(store, batchId, inTime);
};

const removeUnusedQueues = async ({ ledger, queues, log }: HousekeepingTools): Promise<void> => {
  for (const laneId of await ledger.forgetUnusedQueues()) {
    await queues.remove(laneId);
    log.info({ laneId }, 'queue.removed');
  }
};
