/** The record's quota under eight connections at once, with the clock running. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { QuotaScope } from '../../../src/core/quota/quota.ts';
import { type Backlog, type Hammering, hammer, type Pace, prepare } from '../../contracts/quota-hammer.ts';
import { audit } from '../../contracts/quota-record.ts';
import { findRefusal } from '../../contracts/quota-provider.ts';
import { type TestRecord, openTestRecord } from '../../postgres-fixture.ts';

const REQUESTS = 200;

/** The amounts of the limits that count tokens. */
interface TokenAmounts {
  readonly aDay: number;
  readonly refilled: number;
  readonly input: number;
}

/** Limits of every kind. Those of requests, 67 and 120 a second, let slices be made; those of tokens may not. */
const scopesOf = ({ aDay, refilled, input }: TokenAmounts): readonly QuotaScope[] => [
  {
    id: 'shared',
    concurrency: 9,
    limits: [
      { metric: 'requests', amount: 30, window: { kind: 'rolling', perMs: 500 } },
      { metric: 'tokens', amount: aDay, window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' } },
    ],
  },
  {
    id: 'shared/one',
    concurrency: 6,
    limits: [{ metric: 'tokens', amount: refilled, window: { kind: 'refill', perMs: 1_000 } }],
  },
  {
    id: 'shared/two',
    concurrency: 6,
    limits: [{ metric: 'requests', amount: 17, window: { kind: 'fixed', perMs: 300, anchorAtMs: 0 } }],
  },
  { id: 'other', concurrency: null, limits: [] },
  {
    id: 'other/one',
    concurrency: 3,
    limits: [{ metric: 'inputTokens', amount: input, window: { kind: 'rolling', perMs: 400 } }],
  },
];

interface Night {
  readonly scopes: readonly QuotaScope[];
  readonly backlog: Backlog;
  readonly pace: Pace;
}

/** Calls so slow, for all that the record knows, that each has a slot of its own. */
const ONE_BY_ONE: Night = {
  scopes: scopesOf({ aDay: 20_000, refilled: 3_000, input: 400 }),
  backlog: { requests: REQUESTS, promptTokens: 10, linesElsewhere: 0 },
  pace: { bites: [1, 2, 4], toldCallMs: null, longestCallMs: 20 },
};
/** Calls so short, and so many of them, that a slot takes up to sixteen; the limits bind at 50 a second and more. */
const IN_SLICES: Night = {
  scopes: scopesOf({ aDay: 5_000_000_000, refilled: 50_000, input: 20_000 }),
  backlog: { requests: REQUESTS, promptTokens: 300, linesElsewhere: 20_000 },
  pace: { bites: [4, 16, 64], toldCallMs: 10, longestCallMs: 10 },
};

/** Every request with one final line, and nothing out of order on the way. */
const GOOD_NIGHT = { results: REQUESTS, counted: REQUESTS, open: 0, deadlocks: 0, refusals: [] };

describe.each([
  ['of single calls', ONE_BY_ONE],
  ['of slices', IN_SLICES],
] as const)(
  'the quota of the record, from eight connections at once that take up jobs %s',
  (_, { scopes, backlog, pace }) => {
    test('is never oversold, never deadlocks, and every request ends once', async (context) => {
      const record = await openTestRecord(context);
      const night = await prepare(record, scopes, backlog, pace);
      await Promise.all(Array.from({ length: 8 }, () => hammer(night)));
      expect(await outcomeOf(record, night, scopes)).toEqual(GOOD_NIGHT);
      const tooMany = scopes.filter(
        ({ id, concurrency }) => night.log.mostUnderWay(id) > (concurrency ?? REQUESTS),
      );
      expect(tooMany).toEqual([]);
      expect(night.longestSlice > 4).toBe(pace === IN_SLICES.pace);
    });

    test('holds while workers die in the middle of their calls', async (context) => {
      const record = await openTestRecord(context);
      const night = await prepare(record, scopes, backlog, pace);
      await Promise.all([...Array.from({ length: 7 }, () => hammer(night)), dieAgainAndAgain(night)]);
      expect(await outcomeOf(record, night, scopes)).toEqual(GOOD_NIGHT);
    });
  },
);

const dieAgainAndAgain = async (night: Hammering): Promise<void> => {
  while (!night.isOver()) {
    await delay(100);
    await night.crash();
  }
};

const outcomeOf = async (
  { pool }: TestRecord,
  night: Hammering,
  scopes: readonly QuotaScope[],
): Promise<unknown> => {
  await night.leave();
  await audit(pool);
  const { rows } = await pool.query<Readonly<Record<string, number>>>(
    `SELECT (SELECT count(*) FROM result) AS results, (SELECT sum(succeeded + failed) FROM batch) AS counted,
       (SELECT count(*) FROM request WHERE state NOT IN ('succeeded', 'failed')) AS open,
       (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) AS deadlocks`,
  );
  return { ...rows[0], refusals: refusalsOf(night, scopes) };
};

const refusalsOf = (night: Hammering, scopes: readonly QuotaScope[]): readonly string[] =>
  scopes.flatMap(({ id, limits }) =>
    limits.flatMap((limit) =>
      (['estimate-first', 'actual-at-once'] as const).flatMap(
        (charging) => findRefusal(limit, night.log.callsOn(id), charging) ?? [],
      ),
    ),
  );
