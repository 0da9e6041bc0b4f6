/** A batch in the shape that Bull Board shows: as if it were a job. */
import type { JobStatus, QueueJob } from '@bull-board/api/typings/app';
import { type BatchStatus, BatchRefused } from '../../app/batches.ts';
import type { BatchGroup } from '../../app/grant-stories.ts';
import type { Batch } from '../../app/batch-store.ts';
import { expiresAtMs, isFinal, linesDone, waitsForNightUntilMs } from '../../app/progress.ts';
import { exactDollarsText } from '../../core/money/nano-dollars.ts';
import { nightWindowText } from '../../core/night-window.ts';
import { fullCount, instantText, minuteText } from './figures.ts';

/** Under which of the board's columns each group stands. */
export const COLUMNS: Readonly<Record<BatchGroup, JobStatus>> = {
  running: 'active',
  paused: 'paused',
  completed: 'completed',
  cancelled: 'failed',
};

const CANCELLED_REASON = 'cancelled by the user';
const EXPIRED_REASON = 'its deadline came before it was done';

/** The job of a batch. With its `status` it tells more than a list does: lanes, warnings, what is parked or under way. */
export const batchJob = (batch: Batch, status: BatchStatus | null): QueueJob => ({
  opts: {},
  toJSON: () => ({
    id: String(batch.id),
    name: [
      `${batch.name} — ${fullCount(linesDone(batch))} of ${fullCount(batch.total)}`,
      ...(status === null ? [] : forecastTexts(status)),
    ].join(' · '),
    progress: percentDone(batch),
    attemptsMade: 0,
    timestamp: batch.createdAtMs,
    // Without it the page counts how long a finished job took from 1970.
    processedOn: batch.completedAtMs === null ? null : batch.createdAtMs,
    finishedOn: batch.completedAtMs,
    failedReason: failedReason(batch),
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
    case 'expiring':
    case 'expired':
      return 'cancelled';
  }
};

const failedReason = ({ state }: Batch): string => {
  if (state === 'expiring' || state === 'expired') return EXPIRED_REASON;
  return state === 'cancelling' || state === 'cancelled' ? CANCELLED_REASON : '';
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
    expired: batch.expired,
    ...(status !== null && { parked: status.progress.parked, underWay: status.progress.underWay }),
  },
  terms: termsData(batch, status),
  tokens: { prompt: batch.promptTokens, completion: batch.completionTokens },
  ...costOf(batch),
  ...(status !== null && { forecast: forecastTexts(status).join(' · ') }),
  ...(status !== null && { lanes: status.laneIds, warnings: status.warnings }),
  output: batch.outputPath,
  errors: batch.errorPath,
});

/** Nothing for a batch that cost nothing and may not. */
const costOf = ({
  maxCostNanoDollars,
  spentNanoDollars,
}: Batch): { readonly cost?: Readonly<Record<string, string>> } =>
  maxCostNanoDollars === null && spentNanoDollars === 0
    ? {}
    : {
        cost: {
          spent: exactDollarsText(spentNanoDollars),
          ...(maxCostNanoDollars === null ? {} : { budget: exactDollarsText(maxCostNanoDollars) }),
        },
      };
/** As `nightshift status` has it, in a zone that is named. */
const forecastTexts = ({ progress }: BatchStatus): readonly string[] => {
  const { forecast, batch } = progress;
  if (forecast === null || forecast.finishAtMs === null || isFinal(batch)) return [];
  const { next, finishAtMs, spreadMs } = forecast;
  const isAhead = next !== null && next.atMs > progress.atMs;
  const expires = expiresAtMs(progress);
  return [
    ...(isAhead ? [`next: ${next.scope} ${minuteText(next.atMs)}`] : []),
    `done about ${minuteText(finishAtMs)} ±${fullCount(Math.max(1, spreadMs / MINUTE_MS))} min${expires === null ? '' : `, but its deadline is ${minuteText(expires)}`}`,
  ];
};

const MINUTE_MS = 60_000;

const termsData = (
  batch: Batch,
  status: BatchStatus | null,
): Readonly<Record<string, string | number | null>> => {
  const { nightWindow, priority, deadlineAtMs } = batch.terms;
  const waitsUntilMs = status === null ? null : waitsForNightUntilMs(batch, status.progress.atMs);
  return {
    between: nightWindow === null ? null : `${nightWindowText(nightWindow)} ${nightWindow.timeZone}`,
    ...(status !== null && { waitsUntil: instantText(waitsUntilMs) }),
    priority,
    deadline: instantText(deadlineAtMs),
  };
};

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
