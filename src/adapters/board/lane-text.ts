/** A lane's state and limits in one line. */
import type { LaneProgress, LimitUse } from '../../app/progress.ts';
import type { Metric } from '../../core/model.ts';
import { fullCount, minuteText } from './figures.ts';

const METRICS: Readonly<Record<Metric, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  units: 'units',
};

const LENGTHS: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `open · 2 workers · 1 call under way · requests 6/30 per min · tokens 812/8,000 per min`: used of how much. */
export const laneText = (lane: LaneProgress): string =>
  [
    stateText(lane),
    countText(lane.workers, 'worker'),
    `${countText(lane.callsUnderWay, 'call')} under way`,
    ...lane.limits.map(limitText),
  ].join(' · ');

const stateText = ({ isPaused, closing }: LaneProgress): string => {
  const closed =
    closing === null
      ? null
      : closing.needsUser
        ? `needs you: ${closing.reason}`
        : `closed until ${minuteText(closing.untilMs)}: ${closing.reason}`;
  return [isPaused ? 'paused' : null, closed].filter((part) => part !== null).join(', ') || 'open';
};

const countText = (count: number, noun: string): string =>
  `${count === 0 ? 'no' : fullCount(count)} ${noun}${count === 1 ? '' : 's'}`;

const limitText = (limit: LimitUse): string =>
  `${METRICS[limit.metric]} ${fullCount(limit.used)}/${fullCount(limit.amount)} per ${windowText(limit)}${loweredText(limit)}`;

const loweredText = ({ amount, declaredAmount, evidence }: LimitUse): string =>
  evidence === null || amount >= declaredAmount
    ? ''
    : ` (lowered from ${fullCount(declaredAmount)}: ${evidence.reason})`;

const windowText = ({ perMs, unit }: LimitUse): string => {
  if (perMs === null) return unit ?? 'month';
  for (const [lengthMs, name] of LENGTHS) {
    if (perMs === lengthMs) return name;
    if (perMs > lengthMs && perMs % lengthMs === 0) return `${perMs / lengthMs} ${name}`;
  }
  return `${perMs} ms`;
};
