/**
 * A BullMQ queue and worker per lane. The only file that knows BullMQ's classes and options.
 *
 * The record decides everything; BullMQ only says which granted call runs where and when. A job therefore is one
 * attempt (`attempts: 1`), its id is its first grant's, and it may be lost, doubled or late without harm.
 */
import { randomUUID } from 'node:crypto';
import {
  type BackendFactory,
  type IQueueBackend,
  Queue as BullQueue,
  UnrecoverableError,
  withBackend,
} from 'bullmq';
import type { Slice } from '../../app/ledger.ts';
import type { Consumer, LaneQueues, Log } from '../../app/ports.ts';
import type { ServedLane } from '../../app/process-registry.ts';
import type { Limit } from '../../core/model.ts';
import { windowMs } from '../../core/quota/window.ts';

/** What differs between the homes: where BullMQ keeps its queues. */
export interface QueueBackend<Backend extends IQueueBackend, Connection> extends AsyncDisposable {
  readonly factory: BackendFactory<Backend, Connection>;
  /** Of a queue: commands fail soon when the store is away. */
  readonly queueConnection: Connection;
  /** Of a worker: waits for the store to come back. */
  readonly workerConnection: Connection;
  /** What the names of its keys begin with, where it shares a store with others. */
  readonly prefix?: string;
}

/** A job: the grants it carries, never documents. */
interface LaneJob {
  readonly grants: Slice;
}

/** How many failed calls the board keeps per lane. */
const FAILED_JOBS_KEPT = 200;
/** Events are for whoever watches at the moment: nothing depends on them. */
const EVENTS_KEPT = 1_000;
/** Long enough that a busy event loop does not lose its jobs; the grant fences them anyway. */
const LOCK_MS = 60_000;
const STALLED_CHECK_MS = 10_000;
/** The record counts tries; BullMQ must never give a job up on its own account. */
const STALLS_ALLOWED = 1_000;
/** For so long, by the record's clock, the guard may hold a lane. */
const LONGEST_HOLD_MS = 60_000;

/** The queues, and what the board needs of them. */
export interface BoardableQueues extends LaneQueues, AsyncDisposable {
  /** BullMQ's own queue of a lane, to look at. */
  queueOf(laneId: string): BullQueue;
}

/** Opens the queues. Queues and workers are made when a lane first needs them. `rate` is that of the record's clock. */
export const openLaneQueues = <Backend extends IQueueBackend, Connection>(
  { factory, queueConnection, workerConnection, prefix }: QueueBackend<Backend, Connection>,
  log: Log,
  rate = 1,
): BoardableQueues => {
  const { Queue, Worker } = withBackend(factory);
  const queues = new Map<string, BullQueue>();
  const consumers = new Set<Consumer & { close(): Promise<void> }>();
  const common = prefix === undefined ? {} : { prefix };
  const onError = (laneId: string) => (error: Error) => log.warn({ laneId, err: error }, 'queue.errored');

  const queueOf = (laneId: string): BullQueue => {
    const known = queues.get(laneId);
    if (known !== undefined) return known;
    const queue: unknown = new Queue<LaneJob>(queueName(laneId), {
      ...common,
      connection: queueConnection,
      streams: { events: { maxLen: EVENTS_KEPT } },
    });
    // Whoever looks at it does not care where it is kept.
    if (!(queue instanceof BullQueue)) throw new Error('Expected BullMQ to make a queue of its own class.');
    queue.on('error', onError(laneId));
    queues.set(laneId, queue);
    return queue;
  };

  const addJobs = async (
    laneId: string,
    slices: readonly Slice[],
    jobIdOf: (grantId: number) => string,
  ): Promise<void> => {
    const jobs = slices.map((grants) => ({
      name: 'call',
      data: { grants },
      opts: {
        jobId: jobIdOf(grants[0] ?? 0),
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: { count: FAILED_JOBS_KEPT },
      },
    }));
    const [first, ...others] = jobs;
    if (first === undefined) return;
    // One job in bulk costs PostgreSQL a temporary table.
    if (others.length === 0) await queueOf(laneId).add(first.name, first.data, first.opts);
    else await queueOf(laneId).addBulk(jobs);
  };

  return {
    queueOf,
    add: (laneId, slices) => addJobs(laneId, slices, (id) => `g${id}`),
    // Under its old id nothing would be added while the old job exists, and a dead worker's stays active for LOCK_MS.
    addAgain: (laneId, slices) => addJobs(laneId, slices, (id) => `g${id}-${randomUUID()}`),

    async consume(served, work) {
      const { lane } = served;
      const worker = new Worker<LaneJob>(
        queueName(lane.id),
        async (job) => {
          try {
            await work(job.data.grants);
          } catch (error) {
            throw failedJob(error instanceof Error ? error.message : String(error));
          }
        },
        {
          ...common,
          connection: workerConnection,
          concurrency: lane.concurrency,
          ...guard(served, rate),
          lockDuration: LOCK_MS,
          stalledInterval: STALLED_CHECK_MS,
          maxStalledCount: STALLS_ALLOWED,
        },
      );
      worker.on('error', onError(lane.id));
      const consumer = {
        async stop() {
          consumers.delete(consumer);
          await worker.close();
        },
        async close() {
          consumers.delete(consumer);
          await worker.close(true);
        },
      };
      consumers.add(consumer);
      await worker.waitUntilReady();
      return consumer;
    },

    async remove(laneId) {
      const queue = queueOf(laneId);
      queues.delete(laneId);
      await queue.obliterate({ force: true });
      await queue.close();
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
};

/** What the board shows of a failed call: its message, and no stack, which would only lead into our own files. */
const failedJob = (message: string): UnrecoverableError => {
  const error = new UnrecoverableError(message);
  error.stack = message;
  return error;
};

/** A queue's name: the lane's id, with `:` (which BullMQ refuses and model ids contain) written as `%3A`. */
export const queueName = (laneId: string): string => laneId.replaceAll('%', '%25').replaceAll(':', '%3A');

/**
 * The worker's own limiter, a guard against our mistakes and nothing more: twice the shortest window's requests. A
 * full bucket that refills, or the seam between two fixed windows, may legally let that many through; measured,
 * anything tighter held legal bursts for 0.7-2.5 s. It counts jobs, which may hold more calls than one, or no call that
 * a provider counts; so what is over its bound waits for a minute at most, even where the window is a day. A lane
 * without a limit on requests needs none, and is spared its cost.
 */
const guard = (
  { lane, provider }: ServedLane,
  rate: number,
): { limiter?: { max: number; duration: number } } => {
  const [shortest] = [...lane.limits, ...provider.limits]
    .filter((limit: Limit) => limit.metric === 'requests')
    .toSorted((a, b) => windowMs(a.window) - windowMs(b.window));
  if (shortest === undefined) return {};
  return {
    limiter: {
      max: shortest.amount * 2 + lane.concurrency * 2,
      duration: Math.max(1, Math.ceil(Math.min(windowMs(shortest.window), LONGEST_HOLD_MS) / rate)),
    },
  };
};
