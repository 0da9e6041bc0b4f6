/** A batch in the shape that Bull Board shows: as if it were a job. */
import type { JobStatus, QueueJob } from '@bull-board/api/typings/app';
import { type BatchStatus, BatchRefused } from '../../app/batches.ts';
import type { BatchGroup } from '../../app/grant-stories.ts';
import type { Batch } from '../../app/batch-store.ts';
import { isFinal, linesDone } from '../../app/progress.ts';
import { fullCount } from './figures.ts';

/** Under which of the board's columns each group stands. */
export const COLUMNS: Readonly<Record<BatchGroup, JobStatus>> = {
  running: 'active',
  paused: 'paused',
  completed: 'completed',
  cancelled: 'failed',
};

const CANCELLED_REASON = 'cancelled by the user';

/** The job of a batch. With its `status` it tells more than a list does: lanes, warnings, what is parked or under way. */
export const batchJob = (batch: Batch, status: BatchStatus | null): QueueJob => ({
  opts: {},
  toJSON: () => ({
    id: String(batch.id),
    name: `${batch.name} — ${fullCount(linesDone(batch))} of ${fullCount(batch.total)}`,
    progress: percentDone(batch),
    attemptsMade: 0,
    timestamp: batch.createdAtMs,
    // Without it the page counts how long a finished job took from 1970.
    processedOn: batch.completedAtMs === null ? null : batch.createdAtMs,
    finishedOn: batch.completedAtMs,
    failedReason: groupOf(batch) === 'cancelled' ? CANCELLED_REASON : '',
    stacktrace: [],
    data: batchData(batch, status),
    returnvalue: null,
    opts: {},
  }),
  getState: async () => COLUMNS[groupOf(batch)],
  promote: refuse,
  remove: refuse,
  retry: refuse,
});

const groupOf = ({ state, isPaused }: Batch): BatchGroup => {
  switch (state) {
    case 'in_progress':
      return isPaused ? 'paused' : 'running';
    case 'completed':
      return 'completed';
    case 'cancelling':
    case 'cancelled':
      return 'cancelled';
  }
};

/** Rounded down, so that 100 means all. */
const percentDone = (batch: Batch): number =>
  isFinal(batch) ? 100 : Math.floor((linesDone(batch) / batch.total) * 100);

const batchData = (batch: Batch, status: BatchStatus | null): Readonly<Record<string, unknown>> => ({
  batch: batch.name,
  state: batch.isPaused ? `${batch.state}, paused` : batch.state,
  ...notes(batch),
  lines: {
    total: batch.total,
    succeeded: batch.succeeded,
    failed: batch.failed,
    bad: batch.bad,
    cancelled: batch.cancelled,
    ...(status !== null && { parked: status.progress.parked, underWay: status.progress.underWay }),
  },
  tokens: { prompt: batch.promptTokens, completion: batch.completionTokens },
  ...(status !== null && { lanes: status.laneIds, warnings: status.warnings }),
  output: batch.outputPath,
  errors: batch.errorPath,
});

const notes = ({ state, failed, bad, total }: Batch): { readonly note?: string } =>
  state === 'completed' && failed + bad > 0
    ? {
        note: `Of ${fullCount(total)} lines ${fullCount(failed)} failed and ${fullCount(bad)} were bad; their error lines say why.`,
      }
    : {};

const refuse = async (): Promise<never> => {
  throw new BatchRefused(
    'conflict',
    'Expected a command, got an action of the board on a batch. Use `nightshift pause`, `resume`, `cancel` or `retry`.',
  );
};
