/** Cleans up after dead processes, wakes what is due, and adds lost jobs again. */
import type { Clock, GrantLedger, LaneQueues, Log } from './ports.ts';

/** What housekeeping needs. */
export interface HousekeepingTools {
  readonly ledger: GrantLedger;
  readonly queues: LaneQueues;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often the dead are looked for. */
const SWEEP_EVERY_MS = 1_000;

/** Sweeps once a second, and exactly when the next parked request falls due, until the signal aborts. Never rejects. */
export const housekeep = async (tools: HousekeepingTools, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    let nextMs = tools.clock.nowMs() + SWEEP_EVERY_MS;
    try {
      const nextDueAtMs = await sweepOnce(tools);
      if (nextDueAtMs !== null) nextMs = Math.min(nextMs, Math.max(nextDueAtMs, tools.clock.nowMs() + 1));
    } catch (error) {
      tools.log.error({ err: error }, 'sweep.failed');
    }
    await tools.clock.sleepUntil(nextMs, signal);
  }
};

/** One sweep; when the next parked request falls due. */
export const sweepOnce = async ({ ledger, queues, log }: HousekeepingTools): Promise<number | null> => {
  const { missingJobs, nextDueAtMs } = await ledger.sweep();
  for (const [laneId, jobs] of Map.groupBy(missingJobs, (job) => job.laneId)) {
    await queues.addAgain(
      laneId,
      jobs.map((job) => job.id),
    );
    log.warn({ laneId, grants: jobs.length }, 'jobs.added-again');
  }
  return nextDueAtMs;
};
