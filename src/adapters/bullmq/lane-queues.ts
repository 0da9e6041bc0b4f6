/**
 * A BullMQ queue and worker per lane. The only file that knows BullMQ's classes and options.
 *
 * The record decides everything; BullMQ only says which granted call runs where and when. A job therefore is one
 * attempt (`attempts: 1`), its id is its grant's, and it may be lost, doubled or late without harm.
 */
import { randomUUID } from 'node:crypto';
import { type BackendFactory, type IQueueBackend, UnrecoverableError, withBackend } from 'bullmq';
import type { LaneQueues, Log } from '../../app/ports.ts';
import type { Lane, Limit, Provider } from '../../core/model.ts';
import { windowMs } from '../../core/matching.ts';

/** What differs between the homes: where BullMQ keeps its queues. */
export interface QueueBackend<Backend extends IQueueBackend, Connection> {
  readonly factory: BackendFactory<Backend, Connection>;
  readonly connection: Connection;
}

/** A job: the grants it carries, never documents. */
interface LaneJob {
  readonly grants: readonly number[];
}

/** How many failed calls the board keeps per lane. */
const FAILED_JOBS_KEPT = 200;
/** Long enough that a busy event loop does not lose its jobs; the grant fences them anyway. */
const LOCK_MS = 60_000;
const STALLED_CHECK_MS = 10_000;
/** The record counts tries; BullMQ must never give a job up on its own account. */
const STALLS_ALLOWED = 1_000;

/** Opens the queues. Queues and workers are made when a lane first needs them. `rate` is that of the record's clock. */
export const openLaneQueues = <Backend extends IQueueBackend, Connection>(
  { factory, connection }: QueueBackend<Backend, Connection>,
  providerOf: (lane: Lane) => Provider | undefined,
  log: Log,
  rate = 1,
): LaneQueues & AsyncDisposable => {
  const { Queue, Worker } = withBackend(factory);
  const queues = new Map<string, ReturnType<typeof openQueue>>();
  const workers: { close(force?: boolean): Promise<void> }[] = [];
  const onError = (laneId: string) => (error: Error) => log.warn({ laneId, err: error }, 'queue.errored');

  const openQueue = (laneId: string) => {
    const queue = new Queue<LaneJob>(queueName(laneId), { connection });
    queue.on('error', onError(laneId));
    queues.set(laneId, queue);
    return queue;
  };

  const addJobs = async (
    laneId: string,
    grantIds: readonly number[],
    jobIdOf: (id: number) => string,
  ): Promise<void> => {
    await (queues.get(laneId) ?? openQueue(laneId)).addBulk(
      grantIds.map((id) => ({
        name: 'call',
        data: { grants: [id] },
        opts: {
          jobId: jobIdOf(id),
          attempts: 1,
          removeOnComplete: true,
          removeOnFail: { count: FAILED_JOBS_KEPT },
        },
      })),
    );
  };

  return {
    add: (laneId, grantIds) => addJobs(laneId, grantIds, (id) => `g${id}`),
    // Under its old id nothing would be added while the old job exists, and a dead worker's stays active for LOCK_MS.
    addAgain: (laneId, grantIds) => addJobs(laneId, grantIds, (id) => `g${id}-${randomUUID()}`),

    async consume(lane, work) {
      const provider = providerOf(lane);
      const worker = new Worker<LaneJob>(
        queueName(lane.id),
        async (job) => {
          try {
            await work(job.data.grants);
          } catch (error) {
            throw new UnrecoverableError(error instanceof Error ? error.message : String(error));
          }
        },
        {
          connection,
          concurrency: lane.concurrency,
          limiter: guard([...lane.limits, ...(provider?.limits ?? [])], lane.concurrency, rate),
          lockDuration: LOCK_MS,
          stalledInterval: STALLED_CHECK_MS,
          maxStalledCount: STALLS_ALLOWED,
        },
      );
      worker.on('error', onError(lane.id));
      workers.push(worker);
      await worker.waitUntilReady();
    },

    async stopConsuming() {
      await Promise.all(workers.splice(0).map((worker) => worker.close()));
    },

    async [Symbol.asyncDispose]() {
      await Promise.all(workers.splice(0).map((worker) => worker.close(true)));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
};

/** A queue's name: the lane's id, with `:` (which BullMQ refuses and model ids contain) written as `%3A`. */
export const queueName = (laneId: string): string => laneId.replaceAll('%', '%25').replaceAll(':', '%3A');

/**
 * The worker's own limiter, a guard against our mistakes and nothing more: twice the shortest window's requests. A
 * full bucket that refills, or the seam between two fixed windows, may legally let that many through; measured,
 * anything tighter held legal bursts for 0.7-2.5 s.
 */
const guard = (
  limits: readonly Limit[],
  concurrency: number,
  rate: number,
): { max: number; duration: number } => {
  const [shortest] = limits
    .filter((limit) => limit.metric === 'requests')
    .toSorted((a, b) => windowMs(a) - windowMs(b));
  if (shortest === undefined) return { max: 10_000, duration: 1_000 };
  return {
    max: shortest.amount * 2 + concurrency * 2,
    duration: Math.max(1, Math.ceil(windowMs(shortest) / rate)),
  };
};
