/**
 * What a night with an input would be: when it is done, which lanes take how much of it, what binds them, and what would
 * help. Reads and plans; nothing is stored and nothing is sent.
 */
import { inFull, requestsLeft, shareOf } from '../../core/plan/by-deadline.ts';
import { firstWaitOf } from '../../core/plan/first-wait.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { sizeClasses } from '../../core/plan/size-classes.ts';
import { sizeBars } from '../../core/plan/tally.ts';
import type { MeasuredInput } from '../measure-input.ts';
import { countedPlans } from './counted-plans.ts';
import { additionsOf } from './forecast-additions.ts';
import { deadlineOf } from './forecast-deadline.ts';
import { answersToldBy, finishOf, untriedLanes } from './forecast-finish.ts';
import type { InputForecast, LaneForecast, LaneOpening } from './input-forecast.ts';
import {
  countOf,
  type ForecastQuestion,
  type ForecastTools,
  type Night,
  nightOf,
} from './night-asked-for.ts';

/** Answers the question. Rejects with the signal's reason if that aborts. */
export const forecastInput = async (
  tools: ForecastTools,
  question: ForecastQuestion,
): Promise<InputForecast> => {
  const night = nightOf(question);
  const { situation, isOwn } = night;
  const plans = countedPlans(tools, question);
  const plan = await plans.make(situation);
  const finish = await finishOf(plans, night, plan);
  const classes = sizeClasses(situation);
  const lines = countOf(situation.cells.filter(isOwn));
  const paidOnlyLines = countOf(night.paidOnly);
  const own = [...situation.cells.filter(isOwn), ...night.paidOnly];
  const additions = await additionsOf(plans, question, night, plan);
  return {
    atMs: situation.nowMs,
    lines: lines + paidOnlyLines,
    bad: question.measured.bad,
    tooLarge: tooLargeOf(question.measured),
    unplannableLines: requestsLeft(plan.unplannable.map(inFull), isOwn),
    paidOnlyLines,
    promptTokens: own.reduce((sum, cell) => sum + cell.promptTokens, 0),
    answerTokens: Math.round(
      classes.reduce((sum, one) => sum + one.answerTokens * one.count * shareOf(one, isOwn), 0),
    ),
    answersToldBy: answersToldBy(night),
    untriedLanes: untriedLanes(night, plan),
    sizes: sizeBars(own),
    linesOfOthers: night.linesOfOthers,
    finish: lines === 0 && paidOnlyLines > 0 ? { kind: 'never', lines: paidOnlyLines } : finish,
    lanes: lanesOf(night, plan, lines),
    additions,
    deadline:
      question.terms.deadlineAtMs === null ? null : await deadlineOf(plans, question, night, additions),
  };
};

const lanesOf = ({ situation, isOwn }: Night, plan: Plan, lines: number): readonly LaneForecast[] =>
  plan.lanes
    .flatMap(({ laneId, shares, binding }): readonly LaneForecast[] => {
      const lane = situation.lanes.find(({ id }) => id === laneId);
      const own = shares
        .map(({ sizeClass, now, later }) => ({ sizeClass, count: (now + later) * shareOf(sizeClass, isOwn) }))
        .filter(({ sizeClass }) => shareOf(sizeClass, isOwn) > 0);
      if (lane === undefined || own.length === 0) return [];
      const total = (of: (one: (typeof own)[number]) => number): number =>
        own.reduce((sum, one) => sum + of(one), 0);
      const count = total((one) => one.count);
      return [
        {
          laneId,
          lines: count,
          share: lines === 0 ? 0 : count / lines,
          promptTokens: total((one) => one.count * one.sizeClass.promptTokens * lane.tokenRatio),
          answerTokens: total(
            (one) => one.count * Math.min(one.sizeClass.answerTokens, lane.maxOutputTokens),
          ),
          binding,
          firstWait: firstWaitOf(laneId, plan, situation),
          state: openingOf(lane.opensAtMs, situation.nowMs),
        },
      ];
    })
    .toSorted((a, b) => b.lines - a.lines);

const openingOf = (opensAtMs: number, nowMs: number): LaneOpening => {
  if (opensAtMs <= nowMs) return { kind: 'open' };
  return Number.isFinite(opensAtMs) ? { kind: 'opens', atMs: opensAtMs } : { kind: 'needs-user' };
};

const tooLargeOf = ({ tooLarge }: MeasuredInput): InputForecast['tooLarge'] => {
  const cells = [...tooLarge.values()].flat();
  return { lines: countOf(cells), largestPromptTokens: Math.max(0, ...cells.map((cell) => cell.toTokens)) };
};
