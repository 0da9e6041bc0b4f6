/** The pure quota against the plain model of a provider, and what its rules mean in single cases. */
import { describe, expect, test } from 'vitest';
import type { Limit } from '../../../src/core/model.ts';
import {
  type Quota,
  begin,
  emptyQuota,
  inUse,
  lose,
  reserve,
  settle,
} from '../../../src/core/quota/quota.ts';
import { testQuota } from '../../contracts/quota-contract.ts';
import { openPureQuota } from '../../contracts/quota-pure.ts';

describe('the pure quota', () => {
  testQuota(async () => openPureQuota(), {
    nights: Number(process.env['NIGHTSHIFT_CASES'] ?? 1_000),
    commands: 60,
  });
});

const NOON_MS = Date.parse('2026-11-20T12:00:00Z');
const NEED = { promptTokens: 60, outputTokens: 40 };

const quotaOf = (...limits: readonly Limit[]): Quota => emptyQuota([{ id: 'lane', limits, concurrency: 2 }]);

const ask = (quota: Quota, nowMs: number): ReturnType<typeof reserve> =>
  reserve(quota, ['lane'], NEED, nowMs);

const grantFrom = (quota: Quota, nowMs: number): Quota => {
  const answer = ask(quota, nowMs);
  if (answer.kind === 'refused') throw new Error(`Expected a grant, got room at ${String(answer.roomAtMs)}.`);
  return answer.quota;
};

describe('a reservation', () => {
  test('takes from every limit or from none', () => {
    const quota = quotaOf(
      { metric: 'requests', amount: 5, window: { kind: 'rolling', perMs: 60_000 } },
      { metric: 'tokens', amount: 99, window: { kind: 'rolling', perMs: 60_000 } },
    );
    expect(ask(quota, NOON_MS)).toEqual({ kind: 'refused', roomAtMs: null });
    expect(inUse(quota, NOON_MS).map(({ amount }) => amount)).toEqual([0, 0, 0]);
  });

  test('cannot tell when there is room while that hangs on a call that has not begun', () => {
    const limit: Limit = { metric: 'requests', amount: 1, window: { kind: 'rolling', perMs: 60_000 } };
    const granted = grantFrom(quotaOf(limit), NOON_MS);
    expect(ask(granted, NOON_MS + 3_600_000)).toEqual({ kind: 'refused', roomAtMs: null });
    expect(ask(begin(granted, 1, NOON_MS), NOON_MS)).toEqual({ kind: 'refused', roomAtMs: NOON_MS + 61_200 });
  });

  test('waits for the boundary after a call that may be counted on either side of the last one', () => {
    const limit: Limit = {
      metric: 'requests',
      amount: 1,
      window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
    };
    const justBeforeMs = Date.parse('2026-11-20T23:59:59Z');
    const begun = begin(grantFrom(quotaOf(limit), justBeforeMs), 1, justBeforeMs);
    expect(ask(settle(begun, 1, { kind: 'estimate' }, justBeforeMs), justBeforeMs)).toEqual({
      kind: 'refused',
      roomAtMs: Date.parse('2026-11-22T00:00:02Z'),
    });
  });
});

describe('a call whose worker died at once', () => {
  test('starts to drain only when the provider must have counted it', () => {
    const limit: Limit = { metric: 'tokens', amount: 100, window: { kind: 'refill', perMs: 10_000 } };
    const begun = begin(grantFrom(quotaOf(limit), NOON_MS), 1, NOON_MS);
    const lost = lose(begun, 1, NOON_MS + 1);
    const tokensAt = (afterMs: number): number | undefined => inUse(lost, NOON_MS + afterMs)[0]?.amount;
    expect([tokensAt(200), tokensAt(5_200), tokensAt(10_200)]).toEqual([100, 50, 0]);
  });
});
