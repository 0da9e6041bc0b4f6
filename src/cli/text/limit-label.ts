/** The name of a limit and what is left of it, in a few characters. */
import type { LimitUse } from '../../app/progress.ts';
import type { Metric } from '../../core/model.ts';
import { shortCount } from './quantity.ts';

const METRICS: Readonly<Record<Metric, string>> = {
  requests: 'req',
  tokens: 'tok',
  inputTokens: 'in-tok',
  outputTokens: 'out-tok',
};

const LENGTHS: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `req/min`, `tok/day`, `req/5s`: what is counted, and per what. */
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

function windowLengthMs({ perMs, unit }: LimitUse): number {
  return perMs ?? (unit === 'day' ? 86_400_000 : Infinity);
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

/** `req/min 12/30`: what is left of how much. */
export function quotaText(limit: LimitUse): string {
  return `${limitLabel(limit)} ${shortCount(quotaLeft(limit))}/${shortCount(limit.amount)}`;
}
