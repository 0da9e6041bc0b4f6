/** What each lane is planned to do, as a table. */
import type { InputForecast, LaneForecast } from '../../app/forecast/input-forecast.ts';
import type { PlanLimit } from '../../core/plan/situation.ts';
import { aboutMs } from '../text/done-about.ts';
import { clockTime, fullCount } from '../text/quantity.ts';
import { span, type StyledLine } from '../text/styled.ts';
import { tableLines } from '../text/table.ts';
import { limitPhrase } from './limit-phrase.ts';
import type { Say } from './sentences.ts';

/** Less than half a line is none, unless the lanes share so few lines that no lane has much more. */
const LEAST_LINES = 0.5;
const LEAST_OF_THE_MOST = 0.5;

/** A row for each lane that takes lines, or that would if it were open; the others in a sentence. */
export function laneTable({ lanes, atMs }: InputForecast, say: Say): readonly StyledLine[] {
  const most = Math.max(0, ...lanes.map(({ lines }) => lines));
  const leastLines = Math.min(LEAST_LINES, most * LEAST_OF_THE_MOST);
  const takesSome = ({ lines }: LaneForecast): boolean => lines > 0 && lines >= leastLines;
  const isShown = (lane: LaneForecast): boolean => takesSome(lane) || lane.state.kind !== 'open';
  const shown = lanes.filter(isShown);
  const idle = lanes.filter((lane) => !isShown(lane)).map(({ laneId }) => laneId);
  const table = tableLines(
    [
      { title: 'lane', align: 'left' },
      { title: 'lines', align: 'right' },
      { title: 'share', align: 'right' },
      { title: 'tokens in', align: 'right' },
      { title: 'out', align: 'right' },
      { title: 'bound by', align: 'left' },
      { title: 'first waits', align: 'left' },
    ],
    shown.map((lane) => [
      lane.laneId,
      lineCount(lane.lines),
      `${Math.round(lane.share * 100)} %`,
      fullCount(lane.promptTokens),
      fullCount(lane.answerTokens),
      bindingText(lane),
      waitText(lane, atMs, takesSome(lane)),
    ]),
  );
  return [
    ...(shown.length === 0 ? [] : table.map((line, index) => [span(line, index === 0 ? 'dim' : 'plain')])),
    ...(idle.length === 0 ? [] : say(`Not needed: ${namesText(idle)}.`, { style: 'dim' })),
  ];
}

/** Of all free tiers together there are dozens. */
const MOST_NAMED = 12;

function namesText(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return more <= 1
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMED).join(', ')} and ${fullCount(more)} more`;
}

/** Of a line that any of several lanes may take, each takes a part. */
function lineCount(lines: number): string {
  return lines > 0 && lines < LEAST_LINES ? '<1' : fullCount(lines);
}

function bindingText({ binding, laneId }: LaneForecast): string {
  return binding === null ? '' : `${limitPhrase(binding)}${sharedText(binding, laneId)}`;
}

/** A limit of the provider counts all of its lanes together. */
function sharedText({ scope }: PlanLimit, laneId: string): string {
  return scope === laneId ? '' : ` (all of ${scope})`;
}

function waitText({ firstWait, state }: LaneForecast, nowMs: number, takesSome: boolean): string {
  if (state.kind === 'needs-user') return 'needs you: see `nightshift providers`';
  const opens = state.kind === 'opens' ? [`opens ${clockTime(state.atMs, nowMs)}`] : [];
  if (firstWait === null || !takesSome) return opens.join('');
  const { atMs, untilMs } = firstWait;
  const from = atMs - nowMs < 1_000 ? 'at once' : clockTime(aboutMs(atMs, nowMs), nowMs);
  const until = untilMs === null ? 'then refills' : `until ${clockTime(untilMs, nowMs)}`;
  return [...opens, opens.length === 0 ? from : `waits from ${from}`, until].join(', ');
}
