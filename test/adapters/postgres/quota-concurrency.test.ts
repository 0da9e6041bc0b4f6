/** The record's quota under eight connections at once, with the clock running. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { QuotaScope } from '../../../src/core/quota.ts';
import { type Hammering, hammer, prepare } from '../../contracts/quota-hammer.ts';
import { audit } from '../../contracts/quota-record.ts';
import { findRefusal } from '../../contracts/quota-provider.ts';
import { type TestRecord, openTestRecord } from '../../postgres-fixture.ts';

const REQUESTS = 240;

const SCOPES: readonly QuotaScope[] = [
  {
    id: 'shared',
    concurrency: 9,
    limits: [
      { metric: 'requests', amount: 60, window: { kind: 'rolling', perMs: 500 } },
      { metric: 'tokens', amount: 20_000, window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' } },
    ],
  },
  {
    id: 'shared/one',
    concurrency: 6,
    limits: [{ metric: 'tokens', amount: 3_000, window: { kind: 'refill', perMs: 1_000 } }],
  },
  {
    id: 'shared/two',
    concurrency: 6,
    limits: [{ metric: 'requests', amount: 20, window: { kind: 'fixed', perMs: 300, anchorAtMs: 0 } }],
  },
];

describe('the quota of the record, from eight connections at once', () => {
  test('is never oversold, never deadlocks, and every request ends once', async (context) => {
    const record = await openTestRecord(context);
    const night = await prepare(record, SCOPES, REQUESTS);
    await Promise.all(Array.from({ length: 8 }, () => hammer(night)));
    await expectGoodNight(record, night);
    for (const { id, concurrency } of SCOPES) {
      expect(night.mostUnderWay.get(id), id).toBeLessThanOrEqual(concurrency ?? REQUESTS);
    }
  });

  test('holds while workers die in the middle of their calls', async (context) => {
    const record = await openTestRecord(context);
    const night = await prepare(record, SCOPES, REQUESTS);
    const deaths = async (): Promise<void> => {
      while (!night.isOver()) {
        await delay(100);
        await night.crash();
      }
    };
    await Promise.all([...Array.from({ length: 7 }, () => hammer(night)), deaths()]);
    await expectGoodNight(record, night);
  });
});

const expectGoodNight = async ({ pool }: TestRecord, night: Hammering): Promise<void> => {
  await night.leave();
  await audit(pool);
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM result) AS results, (SELECT sum(succeeded + failed) FROM batch) AS counted,
       (SELECT count(*) FROM request WHERE state NOT IN ('succeeded', 'failed')) AS open,
       (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) AS deadlocks`,
  );
  expect(rows).toEqual([{ results: REQUESTS, counted: REQUESTS, open: 0, deadlocks: 0 }]);
  const refusals = SCOPES.flatMap(({ id, limits }) =>
    limits.flatMap((limit) => [
      findRefusal(limit, night.callsOn(id), 'estimate-first'),
      findRefusal(limit, night.callsOn(id), 'actual-at-once'),
    ]),
  );
  expect(refusals.filter((refusal) => refusal !== null)).toEqual([]);
};
