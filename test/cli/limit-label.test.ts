import { describe, expect, it } from 'vitest';
import { evidenceTexts, loweredText } from '../../src/cli/text/evidence-text.ts';
import { byMetricAndLength, limitLabel, quotaText } from '../../src/cli/text/limit-label.ts';
import { clockTime } from '../../src/cli/text/quantity.ts';
import { aLimit, NOW_MS } from './a-progress-view.ts';

const HOUR_MS = 3_600_000;
const EVIDENCE = {
  sinceMs: NOW_MS - HOUR_MS,
  lastAtMs: NOW_MS - HOUR_MS,
  refusals: 1,
  reason: 'too many\nrequests',
  probeAtMs: NOW_MS,
};

const calendar = (unit: 'day' | 'week' | 'month') =>
  aLimit({ windowKind: 'calendar', perMs: null, unit, timeZone: 'UTC' });

describe('the label of a limit', () => {
  it.for([
    [{}, 'req/min'],
    [{ perMs: 5_000 }, 'req/5s'],
    [{ perMs: 18_000_000, windowKind: 'session' }, 'req/5h'],
    [{ perMs: 604_800_000 }, 'req/7d'],
    [{ perMs: null, unit: 'day', windowKind: 'calendar' }, 'req/day'],
    [{ perMs: null, unit: 'week', windowKind: 'calendar' }, 'req/week'],
    [{ perMs: null, windowKind: 'fixed-month' }, 'req/month'],
    [{ metric: 'units', perMs: 86_400_000 }, 'units/day'],
  ] as const)('of %o is %s', ([changes, label]) => {
    expect(limitLabel(aLimit(changes))).toBe(label);
  });

  it('comes in the order of metric and length, weeks between days and months', () => {
    const limits = [
      aLimit({ metric: 'units' }),
      calendar('month'),
      calendar('week'),
      aLimit(),
      calendar('day'),
    ];
    expect(limits.toSorted(byMetricAndLength).map(limitLabel)).toEqual([
      'req/min',
      'req/day',
      'req/week',
      'req/month',
      'units/min',
    ]);
  });

  it('marks a limit that refusals have lowered', () => {
    expect(quotaText(aLimit({ used: 18 }))).toBe('req/min 12/30');
    expect(quotaText(aLimit({ used: 9, amount: 21, declaredAmount: 30, evidence: EVIDENCE }))).toBe(
      'req/min 12/21↓',
    );
  });
});

describe('the evidence on a limit', () => {
  it('is told in sentences, each on one line', () => {
    const limit = aLimit({ amount: 21, declaredAmount: 30, evidence: EVIDENCE });
    expect([loweredText(limit, NOW_MS), ...evidenceTexts(limit, NOW_MS)]).toEqual([
      `lowered to 21 of the declared 30 since ${clockTime(EVIDENCE.sinceMs, NOW_MS)}: 1 refusal although there was room by our count`,
      'it said: too many requests',
      'a single call tries for more next',
    ]);
  });

  it('is not there while nothing is lowered', () => {
    expect([loweredText(aLimit(), NOW_MS), ...evidenceTexts(aLimit(), NOW_MS)]).toEqual([null]);
  });
});
