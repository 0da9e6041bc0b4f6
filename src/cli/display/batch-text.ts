/** Batches in words and tables. */
import type { BatchStatus } from '../../app/batches.ts';
import type { Batch } from '../../app/batch-store.ts';
import {
  isFinal,
  type LaneProgress,
  linesDone,
  type Progress,
  waitsForNightUntilMs,
} from '../../app/progress.ts';
import { policyText } from '../../core/policy-text.ts';
import { clockTime, counted, fullCount, untilText } from '../text/quantity.ts';
import { tableLines } from '../text/table.ts';
import { oneLine } from '../text/width.ts';
import { moneyText } from './money-text.ts';
import { laneState, stateText } from './lane-state.ts';
import { forecastText } from './outlook-text.ts';
import { forecastView } from './progress-view.ts';
import { shortTermsText, termsLines } from './terms-text.ts';

/** What state a batch is in, in the words of the command line: `in progress`, `paused`, `waits until 22:00`. */
export function batchState(batch: Batch, nowMs: number): string {
  const untilMs = waitsForNightUntilMs(batch, nowMs);
  if (untilMs !== null) return `waits until ${clockTime(untilMs, nowMs)}`;
  return batch.isPaused ? 'paused' : batch.state.replaceAll('_', ' ');
}

/** `Batch "docs" (3) is in progress: 12 of 40 lines done, 1 failed.` */
export function batchSentence(batch: Batch, nowMs: number): string {
  const untilMs = waitsForNightUntilMs(batch, nowMs);
  const standing =
    untilMs === null
      ? `is ${batchState(batch, nowMs)}`
      : `waits until ${untilText(untilMs, nowMs)} for its hours`;
  return `Batch "${oneLine(batch.name)}" (${batch.id}) ${standing}: ${lineCounts(batch)}.`;
}

function lineCounts(batch: Batch): string {
  const { total, failed, bad, cancelled, expired } = batch;
  return [
    `${fullCount(linesDone(batch))} of ${counted(total, 'line')} done`,
    ...(failed > 0 ? [`${fullCount(failed)} failed`] : []),
    ...(bad > 0 ? [`${fullCount(bad)} bad`] : []),
    ...(cancelled > 0 ? [`${fullCount(cancelled)} cancelled`] : []),
    ...(expired > 0 ? [`${fullCount(expired)} expired`] : []),
  ].join(', ');
}

/** One line per batch. */
export function batchListLines(batches: readonly Batch[], nowMs: number): readonly string[] {
  if (batches.length === 0) return ['No batch yet: `npx nightshift submit INPUT.jsonl`.'];
  return tableLines(
    [
      { title: 'id', align: 'right' },
      { title: 'batch', align: 'left' },
      { title: 'state', align: 'left' },
      { title: 'done', align: 'right' },
      { title: 'lines', align: 'right' },
      { title: 'failed', align: 'right' },
      { title: 'bad', align: 'right' },
      { title: 'submitted', align: 'left' },
      {
        title: batches.some(({ terms }) => shortTermsText(terms, nowMs) !== '') ? 'terms' : '',
        align: 'left',
      },
    ],
    batches.map((batch) => [
      String(batch.id),
      oneLine(batch.name),
      batchState(batch, nowMs),
      fullCount(linesDone(batch)),
      fullCount(batch.total),
      fullCount(batch.failed),
      fullCount(batch.bad),
      clockTime(batch.createdAtMs, nowMs),
      shortTermsText(batch.terms, nowMs),
    ]),
  );
}

/** When it will be done, if a plan says so. */
function forecastLines(progress: Progress, lanes: readonly LaneProgress[]): readonly string[] {
  const states = lanes.map((lane) => ({ laneId: lane.laneId, state: laneState(lane, progress.atMs) }));
  const forecast = forecastView(progress, states);
  return forecast === null ? [] : [`  ${oneLine(forecastText(forecast, progress.atMs))}`];
}

/** A batch, its lanes, and what somebody should know. */
export function statusLines({ progress, laneIds, warnings }: BatchStatus): readonly string[] {
  const { batch, atMs, parked, underWay, nextDueAtMs } = progress;
  const lanes = progress.lanes.filter(({ laneId }) => laneIds.includes(laneId));
  const money = moneyText(progress);
  return [
    batchSentence(batch, atMs),
    `  ${fullCount(underWay)} under way, ${fullCount(parked)} parked${parked === 0 || nextDueAtMs === null ? '' : ` (the next until ${clockTime(nextDueAtMs, atMs)})`}; ` +
      `${fullCount(batch.promptTokens)} tokens in, ${fullCount(batch.completionTokens)} out`,
    ...(money === '' ? [] : [`  ${oneLine(money)}`]),
    ...(batch.policy === null
      ? []
      : [`  only on lanes that \`${oneLine(policyText(batch.policy))}\` allows`]),
    ...forecastLines(progress, lanes),
    ...(isFinal(batch) ? [] : termsLines(batch.terms, atMs).map((line) => `  ${oneLine(line)}`)),
    ...(lanes.length === 0 ? [] : ['']),
    ...(lanes.length === 0
      ? []
      : tableLines(
          [
            { title: '  lane', align: 'left' },
            { title: 'workers', align: 'right' },
            { title: 'under way', align: 'right' },
            { title: 'calls', align: 'right' },
            { title: 'state', align: 'left' },
          ],
          lanes.map((lane) => [
            `  ${lane.laneId}`,
            fullCount(lane.workers),
            fullCount(lane.callsUnderWay),
            fullCount(lane.calls),
            oneLine(stateText(laneState(lane, atMs), atMs)),
          ]),
        )),
    ...warnings.map((warning) => `warning: ${oneLine(warning)}`),
  ];
}
