/** Batches in words and tables. */
import type { BatchStatus } from '../../app/batches.ts';
import type { Batch } from '../../app/batch-store.ts';
import { linesDone } from '../../app/progress.ts';
import { policyText } from '../../core/policy-text.ts';
import { clockTime, counted, fullCount } from '../text/quantity.ts';
import { tableLines } from '../text/table.ts';
import { oneLine } from '../text/width.ts';
import { laneState, stateText } from './lane-state.ts';

/** What state a batch is in, in the words of the command line. */
export function batchState({ state, isPaused }: Batch): string {
  return isPaused ? 'paused' : state.replaceAll('_', ' ');
}

/** `Batch "docs" (3) is in progress: 12 of 40 lines done, 1 failed.` */
export function batchSentence(batch: Batch): string {
  return `Batch "${oneLine(batch.name)}" (${batch.id}) is ${batchState(batch)}: ${lineCounts(batch)}.`;
}

function lineCounts(batch: Batch): string {
  const { total, failed, bad, cancelled } = batch;
  return [
    `${fullCount(linesDone(batch))} of ${counted(total, 'line')} done`,
    ...(failed > 0 ? [`${fullCount(failed)} failed`] : []),
    ...(bad > 0 ? [`${fullCount(bad)} bad`] : []),
    ...(cancelled > 0 ? [`${fullCount(cancelled)} cancelled`] : []),
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
    ],
    batches.map((batch) => [
      String(batch.id),
      oneLine(batch.name),
      batchState(batch),
      fullCount(linesDone(batch)),
      fullCount(batch.total),
      fullCount(batch.failed),
      fullCount(batch.bad),
      clockTime(batch.createdAtMs, nowMs),
    ]),
  );
}

/** A batch, its lanes, and what somebody should know. */
export function statusLines({ progress, laneIds, warnings }: BatchStatus): readonly string[] {
  const { batch, atMs, parked, underWay, nextDueAtMs } = progress;
  const lanes = progress.lanes.filter(({ laneId }) => laneIds.includes(laneId));
  return [
    batchSentence(batch),
    `  ${fullCount(underWay)} under way, ${fullCount(parked)} parked${nextDueAtMs === null ? '' : ` (the next until ${clockTime(nextDueAtMs, atMs)})`}; ` +
      `${fullCount(batch.promptTokens)} tokens in, ${fullCount(batch.completionTokens)} out`,
    ...(batch.policy === null
      ? []
      : [`  only on lanes that \`${oneLine(policyText(batch.policy))}\` allows`]),
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
