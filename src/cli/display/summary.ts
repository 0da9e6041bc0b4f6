/** What is said at the end of a run. */
import type { LaneTotal } from '../../app/explain.ts';
import { isOutOfMoney, linesDone, linesNotSucceeded, type Progress } from '../../app/progress.ts';
import { counted, durationText, fullCount } from '../text/quantity.ts';
import { tableLines } from '../text/table.ts';
import { oneLine } from '../text/width.ts';
import { moneyText } from './money-text.ts';

/** How a run ended, as far as anybody needs to tell. */
export interface RunReport {
  readonly end: 'finished' | 'interrupted' | 'stuck';
  /** Its lanes are those the batch may use. */
  readonly progress: Progress;
  /** Of the whole batch, earlier runs included. */
  readonly laneTotals: readonly LaneTotal[];
  /** A service runs the batch, and goes on without this command. */
  readonly isServed: boolean;
  /** What the user was told of the providers when this run began. */
  readonly notices: readonly string[];
  readonly outputPath: string;
  readonly errorPath: string;
  /** Of this run. */
  readonly durationMs: number;
  /** The command line that goes on with it. */
  readonly resumeCommand: string;
}

/** The summary for people. */
export function summaryLines(report: RunReport): readonly string[] {
  return [
    ...headLines(report),
    '',
    ...laneTable(report.laneTotals),
    ...(report.laneTotals.length === 0 ? [] : ['']),
    ...tailLines(report),
  ];
}

function headLines({ progress, end, durationMs }: RunReport): readonly string[] {
  const { batch } = progress;
  const money = moneyText(progress);
  const { total, succeeded, failed, bad, cancelled, expired, promptTokens, completionTokens } = batch;
  const how = { finished: 'finished', interrupted: 'interrupted', stuck: 'cannot go on' }[end];
  const open = total - linesDone(batch);
  return [
    `Batch "${oneLine(batch.name)}" ${how} after ${durationText(durationMs)}`,
    `  ${counted(total, 'line')}: ${fullCount(succeeded)} succeeded, ${fullCount(failed)} failed, ${fullCount(bad)} bad` +
      (cancelled > 0 ? `, ${fullCount(cancelled)} cancelled` : '') +
      (expired > 0 ? `, ${fullCount(expired)} expired` : '') +
      (open > 0 ? `, ${fullCount(open)} still to do` : ''),
    `  ${fullCount(promptTokens)} tokens in, ${fullCount(completionTokens)} out`,
    ...(money === '' ? [] : [`  ${money}`]),
  ];
}

function laneTable(totals: readonly LaneTotal[]): readonly string[] {
  if (totals.length === 0) return [];
  return tableLines(
    [
      { title: '  lane', align: 'left' },
      { title: 'calls', align: 'right' },
      { title: 'rejected', align: 'right' },
      { title: 'tokens in', align: 'right' },
      { title: 'tokens out', align: 'right' },
    ],
    totals.map(({ laneId, calls, rejected, promptTokens, completionTokens }) => [
      `  ${oneLine(laneId)}`,
      ...[calls, rejected, promptTokens, completionTokens].map(fullCount),
    ]),
  );
}

function tailLines(report: RunReport): readonly string[] {
  switch (report.end) {
    case 'finished':
      return fileLines(report);
    case 'interrupted':
      return [
        `${report.isServed ? 'The service goes on with it' : 'Nothing is lost'}. Successes so far: ${report.outputPath}.partial`,
        `To ${report.isServed ? 'watch on, and get the files' : 'go on'}, run the same again:`,
        `  ${report.resumeCommand}`,
      ];
    case 'stuck':
      return stuckLines(report);
  }
}

function fileLines({ progress: { batch }, outputPath, errorPath }: RunReport): readonly string[] {
  const hasErrors = linesNotSucceeded(batch) > 0;
  const explain = `npx nightshift explain ${shellQuoted(batch.name)} CUSTOM_ID`;
  return [
    `Output: ${outputPath}`,
    ...(hasErrors ? [`Errors: ${errorPath}`] : []),
    ...(batch.failed > 0 ? [`Why a line failed: ${explain}`] : []),
    ...(batch.expired > 0
      ? [
          `The deadline came first. To do the expired lines after all: npx nightshift retry ${batch.id}, then the same again`,
        ]
      : []),
  ];
}

function stuckLines({ progress, resumeCommand }: RunReport): readonly string[] {
  const waiting = progress.lanes.flatMap(({ providerId, closing }) =>
    closing?.needsUser === true
      ? [`  ${providerId}: ${whatIsNeeded(closing.kind)} (${oneLine(closing.reason)})`]
      : [],
  );
  if (waiting.length === 0) return budgetLines(progress.batch, resumeCommand);
  return [
    waiting.length === progress.lanes.length
      ? 'Every lane this batch may use waits for you:'
      : 'These providers wait for you; the other lanes can do nothing for the lines that are left:',
    ...new Set(waiting),
    'Put that right, or add another provider that serves the same models. The batch is kept; then run the same again:',
    `  ${resumeCommand}`,
  ];
}

function budgetLines(batch: RunReport['progress']['batch'], resumeCommand: string): readonly string[] {
  const left = batch.total - linesDone(batch);
  const [waiting, them] =
    left === 1
      ? ['The line that is left waits', 'it']
      : [`The ${fullCount(left)} lines that are left wait`, 'them'];
  const why = isOutOfMoney(batch)
    ? 'what is left of the budget covers no further call'
    : 'nothing paid is called for now';
  return [
    `${waiting} for money: no free lane can take ${them}, and ${why}.`,
    'The batch is kept. With a larger --max-cost, run the same again:',
    `  ${resumeCommand}`,
  ];
}

function whatIsNeeded(kind: string): string {
  if (kind === 'no-money') return 'its account has no money or no quota left; top it up or change its key';
  if (kind === 'bad-key')
    return 'its key was refused; set a valid one (`npx nightshift doctor` names the variable)';
  return 'it refuses this account; look at its console';
}

/** The summary for programs. */
export function summaryJson(report: RunReport, exitCode: number): Readonly<Record<string, unknown>> {
  const { batch } = report.progress;
  const { id, name, total, succeeded, failed, bad, cancelled, expired } = batch;
  const hasErrors = linesNotSucceeded(batch) > 0;
  return {
    batch: { id, name },
    end: report.end,
    exitCode,
    exitReason: exitReason(report),
    lines: { total, succeeded, failed, bad, cancelled, expired, open: total - linesDone(batch) },
    tokens: { prompt: batch.promptTokens, completion: batch.completionTokens },
    cost: {
      maxNanoDollars: batch.maxCostNanoDollars,
      spentNanoDollars: batch.spentNanoDollars,
      heldNanoDollars: batch.heldNanoDollars,
    },
    savings: report.progress.savings,
    durationMs: Math.round(report.durationMs),
    lanes: report.laneTotals,
    notices: report.notices,
    output: report.end === 'finished' ? report.outputPath : null,
    errors: report.end === 'finished' && hasErrors ? report.errorPath : null,
    ...(report.end === 'finished' ? {} : { resumeCommand: report.resumeCommand }),
    ...(report.end === 'stuck' ? { waitsFor: closingsThatNeedUser(report.progress) } : {}),
  };
}

function closingsThatNeedUser({ lanes }: Progress) {
  return lanes.flatMap(({ laneId, closing }) =>
    closing?.needsUser === true ? [{ laneId, ...closing }] : [],
  );
}

function exitReason({ end, progress: { batch } }: RunReport): string {
  if (end === 'interrupted') return 'interrupted; the same command resumes';
  if (end === 'stuck') return 'the lines that are left wait for a key or money';
  if (batch.cancelled > 0) return 'the batch was cancelled';
  if (batch.expired > 0) return 'its deadline came before it was done';
  return batch.failed + batch.bad > 0 ? 'some lines failed or were bad' : 'all succeeded';
}

/** A word as a POSIX shell takes it. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The command line that resumes: the same, but for what would begin anew. */
export function resumeCommandOf(args: readonly string[]): string {
  const kept = args.filter((argument) => argument !== '--fresh');
  return ['npx nightshift', ...kept.map(shellQuoted)].join(' ');
}
