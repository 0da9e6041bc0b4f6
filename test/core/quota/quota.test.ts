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

const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';

describe('the pure quota', () => {
  testQuota(async () => openPureQuota(), {
    nights: Number(process.env['NIGHTSHIFT_CASES'] ?? (IS_LONG ? 100_000 : 1_000)),
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

const begunAt = (quota: Quota, atMs: number): Quota => {
  const begun = begin(quota, 1, atMs);
  if (begun === null) throw new Error('Expected the call to begin, got a window that is about to end.');
  return begun;
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
    expect(ask(begunAt(granted, NOON_MS), NOON_MS)).toEqual({ kind: 'refused', roomAtMs: NOON_MS + 61_200 });
  });

  test('waits for the boundary after a call that may be counted on either side of the last one', () => {
    const limit: Limit = {
      metric: 'requests',
      amount: 1,
      window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
    };
    const justBeforeMs = Date.parse('2026-11-20T23:59:59Z');
    const begun = begunAt(grantFrom(quotaOf(limit), justBeforeMs), justBeforeMs);
    expect(ask(settle(begun, 1, { kind: 'estimate' }, justBeforeMs), justBeforeMs)).toEqual({
      kind: 'refused',
      roomAtMs: Date.parse('2026-11-22T00:00:02Z'),
    });
  });
});

describe('a call whose worker died at once', () => {
  test('starts to drain only when the provider must have counted it', () => {
    const limit: Limit = { metric: 'tokens', amount: 100, window: { kind: 'refill', perMs: 10_000 } };
    const begun = begunAt(grantFrom(quotaOf(limit), NOON_MS), NOON_MS);
    const lost = lose(begun, 1, NOON_MS + 1);
    const tokensAt = (afterMs: number): number | undefined => inUse(lost, NOON_MS + afterMs)[0]?.amount;
    expect([tokensAt(250), tokensAt(5_250), tokensAt(10_250)]).toEqual([100, 50, 0]);
  });
});

describe('a call that was sent later than it began', () => {
  const limit: Limit = { metric: 'requests', amount: 1, window: { kind: 'rolling', perMs: 5_000 } };
  const begun = begunAt(grantFrom(quotaOf(limit), NOON_MS), NOON_MS);

  test('counts from when it was sent, or until it was answered if that came soon', () => {
    const roomAfter = (quota: Quota): unknown => ask(quota, NOON_MS + 2_000);
    const punctual = settle(begun, 1, { kind: 'estimate' }, NOON_MS + 2_000);
    expect(roomAfter(punctual)).toMatchObject({ roomAtMs: NOON_MS + 5_250 });
    const late = settle(begun, 1, { kind: 'estimate' }, NOON_MS + 2_000, NOON_MS + 700);
    expect(roomAfter(late)).toMatchObject({ roomAtMs: NOON_MS + 5_950 });
    const latest = settle(begun, 1, { kind: 'estimate' }, NOON_MS + 2_000, NOON_MS + 1_990);
    expect(roomAfter(latest)).toMatchObject({ roomAtMs: NOON_MS + 7_008 });
  });
});

describe('a limit on sessions', () => {
  const limit: Limit = { metric: 'requests', amount: 1, window: { kind: 'session', perMs: 100_000 } };
  const open = begunAt(grantFrom(quotaOf(limit), NOON_MS), NOON_MS);

  test('has room again when the session that its first call opened must be over', () => {
    const settled = settle(open, 1, { kind: 'estimate' }, NOON_MS + 500);
    expect(ask(settled, NOON_MS + 50_000)).toEqual({ kind: 'refused', roomAtMs: NOON_MS + 102_000 });
    expect(ask(settled, NOON_MS + 102_000).kind).toBe('granted');
  });

  test('lets no call begin where nobody can tell which session it opens', () => {
    const two = quotaOf({ ...limit, amount: 2 });
    const first = begunAt(grantFrom(two, NOON_MS), NOON_MS);
    const second = grantFrom(settle(first, 1, { kind: 'estimate' }, NOON_MS), NOON_MS + 97_000);
    expect(begin(second, 2, NOON_MS + 97_999)).not.toBeNull();
    expect(begin(second, 2, NOON_MS + 98_000)).toBeNull();
    expect(begin(second, 2, NOON_MS + 102_000)).not.toBeNull();
  });

  test('lasts as long as any call may have opened it, while no answer has come', () => {
    const two = quotaOf({ ...limit, amount: 2 });
    const first = lose(begunAt(grantFrom(two, NOON_MS), NOON_MS), 1, NOON_MS);
    const second = begin(grantFrom(first, NOON_MS + 30_000), 2, NOON_MS + 30_000);
    expect(second === null ? null : ask(second, NOON_MS + 99_000)).toEqual({
      kind: 'refused',
      roomAtMs: NOON_MS + 132_000,
    });
  });
});
