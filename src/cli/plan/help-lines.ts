/** What would have the night over sooner, in words. */
import { LEAST_GAIN_MS } from '../../app/forecast/forecast-additions.ts';
import type {
  AdditionForecast,
  DeadlineForecast,
  DeadlineOption,
} from '../../app/forecast/input-forecast.ts';
import { aboutMs } from '../text/done-about.ts';
import { clockTime, counted, durationText, fullCount } from '../text/quantity.ts';
import type { StyledLine } from '../text/styled.ts';
import { howToAdd, type PlanReport } from './plan-report.ts';
import type { Say } from './sentences.ts';

/** How many additions, and how many ways out of a deadline, are named. */
const MOST_SHOWN = 3;

/** Which free tiers would help, the best first, and how to get their keys. */
export function additionLines(report: PlanReport, say: Say): readonly StyledLine[] {
  const { forecast, basis, catalogOf } = report;
  const shown = forecast.additions.slice(0, MOST_SHOWN);
  const isBare = basis === 'catalog';
  if (shown.length === 0)
    return isBare ? [] : say('No free tier of the catalog that is not on yet would make it much shorter.');
  return [
    ...say(isBare ? 'The best to begin with, each alone:' : 'One more free tier, the best first:'),
    ...shown.flatMap((addition, index) => {
      const catalog = catalogOf(addition.providerId);
      if (catalog === undefined) return [];
      const style = index === 0 ? 'green' : 'plain';
      return [
        ...say(`${catalog.name}: ${additionText(addition, report)}.`, { indent: 2, style }),
        ...say(howToAdd(catalog), { indent: 4 }),
      ];
    }),
  ];
}

function additionText(addition: AdditionForecast, { forecast, basis }: PlanReport): string {
  const { atMs: nowMs, finish } = forecast;
  const { finishAtMs, linesLeft, lines, tooLargeLines } = addition;
  const isFaster = finishAtMs !== null && finish.kind === 'at' && finish.atMs - finishAtMs >= LEAST_GAIN_MS;
  return [
    finishAtMs === null
      ? `${counted(linesLeft, 'line')} would be left`
      : `done about ${clockTime(aboutMs(finishAtMs, nowMs), nowMs)}`,
    ...(basis === 'configuration' && isFaster ? [`${durationText(finish.atMs - finishAtMs)} sooner`] : []),
    ...(basis === 'configuration' ? [`taking ${counted(lines, 'line')}`] : []),
    ...(tooLargeLines === 0 ? [] : [`and ${fullCount(tooLargeLines)} of those that are too long now`]),
  ].join(', ');
}

/** How many lines are left at the deadline, and what would leave fewer. */
export function deadlineLines(
  deadline: DeadlineForecast,
  report: PlanReport,
  say: Say,
): readonly StyledLine[] {
  const { forecast, basis, hasPaidLane, hasBudget } = report;
  const { atMs: nowMs, finish } = forecast;
  const at = `${clockTime(deadline.atMs, nowMs)} (in ${durationText(deadline.atMs - nowMs)})`;
  const by = basis === 'catalog' ? `With all of them, by ${at}` : `By ${at}`;
  if (deadline.linesLeft === 0) {
    const isSure = finish.kind === 'at' && finish.latestMs <= deadline.atMs;
    return say(`${by} all lines are done${isSure ? '' : ', if nothing comes between'}.`);
  }
  if (deadline.openMs === 0)
    return say(`None of its hours come before ${at}: nothing would be done by then.`, { style: 'yellow' });
  const money = 'paid lanes do what is left, as far as that money goes.';
  const ways = [
    ...deadline.options.slice(0, MOST_SHOWN).map((option) => wayText(option, report)),
    ...(hasPaidLane ? [`${hasBudget ? 'By --max-cost' : 'With --max-cost'} ${money}`] : []),
    ...(finish.kind === 'at'
      ? [`With time until ${clockTime(aboutMs(finish.latestMs, nowMs), nowMs)}: none, most likely.`]
      : []),
  ];
  return [
    ...say(`${by} ${counted(deadline.linesLeft, 'line')} would be left.`, { style: 'yellow' }),
    ...ways.flatMap((way) => say(way, { indent: 2 })),
  ];
}

function wayText(option: DeadlineOption, { catalogOf }: PlanReport): string {
  const left = option.linesLeft === 0 ? 'none' : fullCount(option.linesLeft);
  switch (option.kind) {
    case 'provider':
      return `With ${catalogOf(option.providerId)?.name ?? option.providerId}: ${left}.`;
    case 'pool-all':
      return `With --pool all, every free lane that is on: ${left}.`;
  }
}
