/**
 * The board's queue `batches`: no queue at all, but a view of the record. So it is true at any moment, and still there
 * after the queues were lost.
 */
import type { JobCounts, JobStatus, QueueJob, QueueMetrics, Status } from '@bull-board/api/typings/app';
import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import { type BatchStatus, type Batches, BatchRefused, refOf } from '../../app/batches.ts';
import type { Batch } from '../../app/batch-store.ts';
import type { BatchGroup, BatchRoll } from '../../app/grant-stories.ts';
import { COLUMNS, batchJob } from './batch-job.ts';

/** The queue's name on the board; no lane's id is like it, for those contain a `/`. */
export const BATCHES_QUEUE = 'batches';

const GROUPS: readonly BatchGroup[] = ['running', 'paused', 'completed', 'cancelled'];
/** The port's bound; a request for more is answered with as many. */
const MOST_PER_PAGE = 1_000;

/** A list says of so many batches when they will be done; to ask for all of a long list would keep the record busy. */
const MOST_WITH_FORECAST = 5;

/** Shows batches as jobs. Read-only: a batch is paused, cancelled or retried by commands. */
export class BatchesAdapter extends BaseAdapter {
  readonly #batches: Pick<Batches, 'status'>;
  readonly #roll: BatchRoll;

  constructor(batches: Pick<Batches, 'status'>, roll: BatchRoll) {
    // Of the two kinds that Bull Board knows, only `bullmq` is taken for a real BullMQ queue by its job flows.
    super('bull', {
      readOnlyMode: true,
      description: 'Every batch of the record. Commands pause, resume, cancel and retry them.',
    });
    this.#batches = batches;
    this.#roll = roll;
  }

  getName(): string {
    return BATCHES_QUEUE;
  }

  getJobStatuses(): JobStatus[] {
    return GROUPS.map((group) => COLUMNS[group]);
  }

  getStatuses(): Status[] {
    return ['latest', ...this.getJobStatuses()];
  }

  async getJobCounts(): Promise<JobCounts> {
    const counts = await this.#roll.counts();
    return Object.fromEntries(GROUPS.map((group) => [COLUMNS[group], counts[group]]));
  }

  async getJobs(statuses: JobStatus[], start = 0, end = start + MOST_PER_PAGE - 1): Promise<QueueJob[]> {
    const range = { skip: start, atMost: Math.min(end - start + 1, MOST_PER_PAGE) };
    const groups = GROUPS.filter((group) => statuses.includes(COLUMNS[group]));
    const pages = await Promise.all(groups.map((group) => this.#roll.page(group, range)));
    const listed = pages.flat();
    const atWork = listed.filter(({ state }) => state === 'in_progress').slice(0, MOST_WITH_FORECAST);
    const looks = await Promise.all(atWork.map((batch) => this.#statusOf(batch)));
    const byId = new Map(
      looks.flatMap((found) => (found === null ? [] : [[found.progress.batch.id, found]])),
    );
    return listed.map((batch) => batchJob(batch, byId.get(batch.id) ?? null));
  }

  /** `null` where it was removed meanwhile. */
  async #statusOf(batch: Pick<Batch, 'id'>): Promise<BatchStatus | null> {
    try {
      return await this.#batches.status(refOf(batch));
    } catch (error) {
      if (error instanceof BatchRefused && error.kind === 'not-found') return null;
      throw error;
    }
  }

  async getJob(id: string): Promise<QueueJob | null> {
    if (!/^\d+$/u.test(id)) return null;
    const found = await this.#statusOf({ id: Number(id) });
    return found === null ? null : batchJob(found.progress.batch, found);
  }

  async getJobLogs(): Promise<string[]> {
    return [];
  }

  async getMetrics(): Promise<QueueMetrics> {
    return { data: [], count: 0, meta: { count: 0, prevTS: 0, prevCount: 0 } };
  }

  async getRedisInfo(): Promise<null> {
    return null;
  }

  async isPaused(): Promise<boolean> {
    return false;
  }

  async getJobSchedulers(): Promise<[]> {
    return [];
  }

  async getJobSchedulersCount(): Promise<number> {
    return 0;
  }

  async getGlobalConcurrency(): Promise<null> {
    return null;
  }

  // Everything below changes something. The board's routes refuse it before it gets here; see actions.ts.
  addJob = refuse;
  clean = refuse;
  empty = refuse;
  obliterate = refuse;
  pause = refuse;
  promoteAll = refuse;
  removeJobScheduler = refuse;
  resume = refuse;
  runJobSchedulerNow = refuse;
  setGlobalConcurrency = refuse;
  updateJobScheduler = refuse;
}

const refuse = async (): Promise<never> => {
  throw new BatchRefused('conflict', 'Expected a queue, got the list of batches: it is read-only.');
};
