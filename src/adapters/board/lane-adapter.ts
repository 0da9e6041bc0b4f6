/**
 * A lane's queue on the board. The jobs are BullMQ's; whether the lane is paused, what its limits are and what a job is
 * about come from the record.
 */
import type { JobCounts, JobStatus, Status } from '@bull-board/api/typings/app';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { Job, Queue } from 'bullmq';
import type { Batches } from '../../app/batches.ts';
import type { GrantStories } from '../../app/grant-stories.ts';
import type { LaneProgress } from '../../app/progress.ts';
import { type CallView, callView, grantIdsOf } from './call-view.ts';
import { laneText } from './lane-text.ts';

/** A lane's BullMQ queue; the type leaves open on which backend. */
export type LaneQueue = Pick<
  Queue,
  'name' | 'clean' | 'getJob' | 'getJobCounts' | 'getJobLogs' | 'getJobs' | 'getMetrics'
>;

/** What all lanes' queues share. */
export interface LaneSources {
  readonly batches: Pick<Batches, 'pauseLane' | 'resumeLane'>;
  readonly stories: GrantStories;
  readonly showsText: boolean;
  /** Called after the board changed a lane. */
  readonly onChange: () => void;
  /** Called when a queue does not answer in time. */
  readonly onSilence: (laneId: string, error: unknown) => void;
}

/** A lane's jobs are only ever in these; those that succeeded are removed at once. */
const JOB_STATUSES = ['active', 'waiting', 'failed'] as const satisfies readonly JobStatus[];
/** A queue that answers later is shown as silent, so that one lost connection does not take the board down. */
const ANSWER_MS = 3_000;

/** Shows one lane; {@link LaneAdapter.show} keeps it up to date. */
export class LaneAdapter extends BullMQAdapter {
  readonly #queue: LaneQueue;
  readonly #sources: LaneSources;
  readonly #views = new WeakMap<object, CallView>();
  #lane: LaneProgress;
  #isSilent = false;

  constructor(queue: LaneQueue, lane: LaneProgress, sources: LaneSources) {
    super(bullMQQueue(queue), { delimiter: '/', allowRetries: false });
    this.#queue = queue;
    this.#lane = lane;
    this.#sources = sources;
    this.setFormatter('name', (job: { readonly name: string; readonly data: object }) => {
      return this.#views.get(job.data)?.name ?? job.name;
    });
    this.setFormatter('data', (data: object) => this.#views.get(data)?.data ?? data);
  }

  /** Whether it shows this very queue: a lane that was away comes back with another. */
  isOf(queue: LaneQueue): boolean {
    return this.#queue === queue;
  }

  /** What the record says of the lane from now on. */
  show(lane: LaneProgress): void {
    this.#lane = lane;
  }

  /** The lane's id rather than its queue's name: Bull Board decodes names once more than it encodes them. */
  override getName(): string {
    return this.#lane.laneId;
  }

  override getDescription(): string {
    return `${this.#isSilent ? 'its queue does not answer · ' : ''}${laneText(this.#lane)}`;
  }

  override async isPaused(): Promise<boolean> {
    return this.#lane.isPaused;
  }

  override async pause(): Promise<void> {
    await this.#sources.batches.pauseLane(this.#lane.laneId);
    this.#sources.onChange();
  }

  override async resume(): Promise<void> {
    await this.#sources.batches.resumeLane(this.#lane.laneId);
    this.#sources.onChange();
  }

  override getJobStatuses(): JobStatus[] {
    return [...JOB_STATUSES];
  }

  override getStatuses(): Status[] {
    return ['latest', ...JOB_STATUSES];
  }

  override getJobCounts(): Promise<JobCounts> {
    return this.#answer(this.#queue.getJobCounts(...JOB_STATUSES), {});
  }

  override async getJobs(statuses: JobStatus[], start?: number, end?: number): Promise<Job[]> {
    const jobs = await this.#answer(super.getJobs(statuses, start, end), []);
    await this.#tell(jobs);
    return jobs;
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await inTime(super.getJob(id));
    if (job !== undefined) await this.#tell([job]);
    return job;
  }

  // What the record does not use is not asked for, and cannot be set from here.
  override get supportsGlobalRateLimit(): boolean {
    return false;
  }

  override async getGlobalConcurrency(): Promise<null> {
    return null;
  }

  /** The worker's limiter is a guard; its window always runs, which does not mean that anybody waits. */
  override async getActiveRateLimitTtl(): Promise<number> {
    return 0;
  }

  override async getJobSchedulersCount(): Promise<number> {
    return 0;
  }

  override async getJobSchedulers(): Promise<[]> {
    return [];
  }

  override get supportsJobSchedulerUpdate(): boolean {
    return false;
  }

  override get supportsJobSchedulerRun(): boolean {
    return false;
  }

  /** Calls have no children; a producer would stay open for nothing. */
  override async getFlowProducer(): Promise<null> {
    return null;
  }

  /** Looks up what the jobs are about, for the formatters, which cannot wait. */
  async #tell(jobs: readonly Job[]): Promise<void> {
    const idsOf = new Map(jobs.map((job) => [job, grantIdsOf(job.data)]));
    const grantIds = [...new Set([...idsOf.values()].flat())];
    if (grantIds.length === 0) return;
    const stories = await this.#sources.stories.storiesOf(grantIds);
    const storyOf = new Map(stories.map((story) => [story.grantId, story]));
    for (const [job, ids] of idsOf) {
      if (ids.length === 0) continue;
      this.#views.set(
        job.data,
        callView(ids, (id) => storyOf.get(id), this.#sources.showsText),
      );
    }
  }

  async #answer<T>(asked: Promise<T>, otherwise: T): Promise<T> {
    try {
      const answer = await inTime(asked);
      this.#isSilent = false;
      return answer;
    } catch (error) {
      if (!this.#isSilent) this.#sources.onSilence(this.#lane.laneId, error);
      this.#isSilent = true;
      return otherwise;
    }
  }
}

/** Bull Board's types name the Redis backend alone; its code asks the queue which one it is. */
const bullMQQueue = (queue: LaneQueue): Queue => {
  if (isBullMQQueue(queue)) return queue;
  throw new Error(`Expected \`${queue.name}\` to be a queue of BullMQ 6, got another object.`);
};

const isBullMQQueue = (queue: LaneQueue): queue is Queue => 'getBackend' in queue;

const inTime = async <T>(asked: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Expected the queue to answer within ${ANSWER_MS} ms.`));
    }, ANSWER_MS);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
};
