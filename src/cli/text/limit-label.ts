/** The name of a limit and what is left of it, in a few characters. */
import type { LimitUse } from '../../app/progress.ts';
import type { CalendarUnit, Metric } from '../../core/model.ts';
import { shortCount } from './quantity.ts';
import type { Style } from './styled.ts';

const METRICS: Readonly<Record<Metric, string>> = {
  requests: 'req',
  tokens: 'tok',
  inputTokens: 'in-tok',
  outputTokens: 'out-tok',
  units: 'units',
};

const LENGTHS: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `req/min`, `tok/day`, `units/week`, `req/5h`: what is counted, and per what. */
export function limitLabel({ metric, perMs, unit, windowKind }: LimitUse): string {
  return `${METRICS[metric]}/${unit ?? (windowKind === 'fixed-month' ? 'month' : lengthLabel(perMs ?? 0))}`;
}

function lengthLabel(perMs: number): string {
  for (const [lengthMs, name] of LENGTHS) {
    if (perMs === lengthMs) return name;
    if (perMs > lengthMs && perMs % lengthMs === 0)
      return `${perMs / lengthMs}${name === 'day' ? 'd' : name}`;
  }
  return `${perMs}ms`;
}

/** Orders limits for reading: requests before tokens, short windows before long ones. */
export function byMetricAndLength(a: LimitUse, b: LimitUse): number {
  const places = Object.keys(METRICS);
  return places.indexOf(a.metric) - places.indexOf(b.metric) || windowLengthMs(a) - windowLengthMs(b);
}

const UNIT_DAYS: Readonly<Record<CalendarUnit, number>> = { day: 1, week: 7, month: 30 };

function windowLengthMs({ perMs, unit }: LimitUse): number {
  return perMs ?? UNIT_DAYS[unit ?? 'month'] * 86_400_000;
}

/** Orders limits by urgency: the least share left first; of those that are used up, the longest window first. */
export function byTightness(a: LimitUse, b: LimitUse): number {
  const byShare = shareLeft(a) - shareLeft(b);
  return byShare !== 0 || shareLeft(a) > 0 ? byShare : windowLengthMs(b) - windowLengthMs(a);
}

/** Less than one is nothing: it pays for no call. */
function shareLeft(limit: LimitUse): number {
  const left = quotaLeft(limit);
  return left < 1 ? 0 : left / limit.amount;
}

/** What is left of a limit; never negative. */
export function quotaLeft({ amount, used }: LimitUse): number {
  return Math.max(0, amount - used);
}

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One character that stands higher the more is left. */
export function levelOf(left: number, amount: number): string {
  const step = left >= amount ? LEVELS.length - 1 : Math.floor((left / amount) * (LEVELS.length - 1));
  return LEVELS[Math.max(0, step)] ?? ' ';
}

/** Green while more than half is left, red from about a seventh on. */
export function levelStyle(limit: LimitUse): Style {
  const share = quotaLeft(limit) / limit.amount;
  if (share > 0.5) return 'green';
  return share > 0.15 ? 'yellow' : 'red';
}

/** Whether refusals have lowered it below what is declared. */
export function isLowered({ amount, declaredAmount, evidence }: LimitUse): boolean {
  return evidence !== null && amount < declaredAmount;
}

/** `req/min 12/30`: what is left of how much; `req/min 12/21↓` while refusals have lowered it. */
export function quotaText(limit: LimitUse): string {
  const mark = isLowered(limit) ? '↓' : '';
  return `${limitLabel(limit)} ${shortCount(quotaLeft(limit))}/${shortCount(limit.amount)}${mark}`;
}
