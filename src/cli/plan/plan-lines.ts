/** A forecast as it is printed: what there is to do, when it is done, by whom, what fits nowhere, and what would help. */
import type { AnswerEvidence } from '../../core/plan/answer-length.ts';
import { termsLines } from '../display/terms-text.ts';
import { clockTime, counted, fullCount } from '../text/quantity.ts';
import { span, type StyledLine } from '../text/styled.ts';
import { oneLine } from '../text/width.ts';
import { finishText } from './finish-text.ts';
import { additionLines, deadlineLines } from './help-lines.ts';
import { laneTable } from './lane-table.ts';
import type { KnownBatch, PlanReport } from './plan-report.ts';
import { type Say, sayWithin } from './sentences.ts';
import { sizeHistogram } from './size-histogram.ts';

/** The report for a terminal of that many columns, `Infinity` where there is none. Rows of the table may be wider. */
export function planLines(report: PlanReport, columns: number): readonly StyledLine[] {
  const { forecast } = report;
  const say = sayWithin(columns);
  const paragraphs = [
    headLines(report, say),
    [...say('Prompts, in tokens:'), ...sizeHistogram(forecast.sizes, columns)],
    finishLines(report, say),
    laneTable(forecast, say),
    nowhereLines(report, say),
    additionLines(report, say),
    forecast.deadline === null ? [] : deadlineLines(forecast.deadline, report, say),
  ];
  return paragraphs
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : [[], ...lines]));
}

/** What is bad is told in full by the run; here a few words are enough. */
const REASONS_SHOWN = 3;

const ASSUMED_ANSWERS: Record<AnswerEvidence, string> = {
  own: 'as long as so far',
  others: 'as long as those of other batches',
  bounds: 'a third of what they may be',
};

function headLines({ inputName, forecast, batch }: PlanReport, say: Say): readonly StyledLine[] {
  const { lines, bad, promptTokens, answerTokens, answersToldBy, atMs } = forecast;
  const reasons = bad.first.slice(0, REASONS_SHOWN);
  const unshown = bad.count - reasons.length;
  return [
    [
      span(oneLine(inputName), 'cyan'),
      span(`: ${counted(lines, 'line')} to run${bad.count === 0 ? '' : `, ${fullCount(bad.count)} bad:`}`),
    ],
    ...reasons.flatMap((reason) => say(reason, { indent: 2 })),
    ...(unshown > 0 ? say(`… and ${fullCount(unshown)} more`, { indent: 2 }) : []),
    ...(batch === null ? [] : say(knownText(batch, atMs))),
    ...say(
      `${fullCount(promptTokens)} tokens in, about ${fullCount(answerTokens)} out (answers ${ASSUMED_ANSWERS[answersToldBy]}).`,
    ),
  ];
}

function knownText({ id, name, linesDone, standing }: KnownBatch, nowMs: number): string {
  const batch = `batch "${name}" (${id})`;
  switch (standing) {
    case 'at-work':
      return `It is ${batch}, with ${counted(linesDone, 'line')} done at ${clockTime(nowMs, nowMs)}; this is about the rest.`;
    case 'paused':
      return `It is ${batch}, which is paused with ${counted(linesDone, 'line')} done; this is about the whole file.`;
    case 'outside-hours':
      return `It is ${batch}, which waits for its hours with ${counted(linesDone, 'line')} done; this is about the whole file.`;
    case 'over':
      return `It is ${batch}, which is over: \`run\` only writes its output again. With --fresh it would be:`;
  }
}

function finishLines(report: PlanReport, say: Say): readonly StyledLine[] {
  const { forecast, basis, terms, hasBudget } = report;
  const { finish, atMs, linesOfOthers, untriedLanes } = forecast;
  const text = `${finish.kind === 'at' ? 'done ' : ''}${finishText(finish, atMs, terms.nightWindow)}.`;
  const isAllPaid = forecast.paidOnlyLines === forecast.lines;
  if (isAllPaid && forecast.lines > 0)
    return say('All of it is for lanes that cost money, and what those take is not planned here.', {
      style: 'yellow',
    });
  const lead =
    basis === 'catalog'
      ? `No provider is on here. All free tiers of the catalog together: ${text}`
      : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return [
    ...say(lead, { style: finish.kind === 'at' ? 'bold' : 'yellow' }),
    // The deadline has a paragraph of its own.
    ...termsLines({ ...terms, deadlineAtMs: null }, atMs).flatMap((line) => say(line, { indent: 2 })),
    ...(hasBudget ? say('Paid lanes are left out of this: what --max-cost buys comes on top.') : []),
    ...(untriedLanes.length === 0 || finish.kind === 'never'
      ? []
      : say(
          `${counted(untriedLanes.length, 'lane')} of ${fullCount(forecast.lanes.length)} ${untriedLanes.length === 1 ? 'has' : 'have'} never answered, and how quick ${untriedLanes.length === 1 ? 'it is' : 'they are'} decides where in that range the end is.`,
        )),
    ...(linesOfOthers === 0
      ? []
      : say(
          `${counted(linesOfOthers, 'line')} of other batches ${linesOfOthers === 1 ? 'runs' : 'run'} from the same quota meanwhile.`,
        )),
  ];
}

function nowhereLines({ forecast }: PlanReport, say: Say): readonly StyledLine[] {
  const { tooLarge, unplannableLines, paidOnlyLines } = forecast;
  return [
    ...(tooLarge.lines === 0
      ? []
      : say(
          `${counted(tooLarge.lines, 'line')} ${tooLarge.lines === 1 ? 'is' : 'are'} too long for every lane of the pool; the largest prompt has ${fullCount(tooLarge.largestPromptTokens)} tokens. Shorten or split, ask for shorter answers, or add a lane that takes more.`,
        )),
    ...(paidOnlyLines === 0
      ? []
      : say(
          `${counted(paidOnlyLines, 'line')} can only run on lanes that cost money: --max-cost pays for ${paidOnlyLines === 1 ? 'it' : 'them'}, as far as it goes.`,
        )),
    ...(unplannableLines === 0
      ? []
      : say(
          `${counted(unplannableLines, 'line')} fit${unplannableLines === 1 ? 's' : ''} no lane as they stand: limits that refusals have lowered (see \`nightshift providers\`), lanes that only you can open, or lanes that cost money.`,
        )),
  ];
}
