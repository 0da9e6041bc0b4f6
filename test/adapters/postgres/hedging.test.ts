/** Late in a batch, a slow call is made a second time on a lane that has nothing else to do. */
import { describe, expect, test } from 'vitest';
import type { Limit } from '../../../src/core/model.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { openNamedRecord, openTestRecord, type TestRecord } from '../../postgres-fixture.ts';
import { waitingForLocks } from './meeting.ts';
import { ANSWER, BROKEN, openRecordAtWork, type RecordAtWork, REFUSED } from './a-record-at-work.ts';

const [SLOW, IDLE] = ['alpha/small', 'beta/small'] as const;

/** Calls of the slow lane are known to take a second, a tenth more or less: after two they are overdue. */
const knowCallTimes = async ({ pool }: RecordAtWork): Promise<void> => {
  await pool.query(
    `INSERT INTO lane_total (lane_id, mean_call_ms, call_ms_dev, timed_calls) VALUES ($1, 1000, 100, 8), ($2, 800, 100, 8)
     ON CONFLICT (lane_id) DO UPDATE SET mean_call_ms = EXCLUDED.mean_call_ms, call_ms_dev = EXCLUDED.call_ms_dev, timed_calls = 8`,
    [SLOW, IDLE],
  );
};

const letPass = async ({ pool }: RecordAtWork, ms: number): Promise<void> => {
  await pool.query("UPDATE grants SET begun_at_ms = begun_at_ms - $1 WHERE state = 'begun'", [ms]);
};

/** A batch of which one line is being called on the slow lane. */
const withSlowCall = async (
  record: TestRecord,
  ids: readonly string[],
  run: (night: {
    readonly at: RecordAtWork;
    readonly batchId: number;
    readonly slow: number;
  }) => Promise<void>,
): Promise<void> => {
  await using at = await openRecordAtWork(record);
  const { id } = await at.submit(ids, { pool: 'small' });
  const [slow = 0] = (await at.grant(SLOW, 1)).slices.flat();
  await at.begin([slow]);
  await knowCallTimes(at);
  await run({ at, batchId: id, slow });
};

/** A line whose last try is being made on the slow lane, and granted on the other a second time. */
const hedgeLastTry = async (at: RecordAtWork) => await hedgeOne(at, 3);

/** A line that was tried so often before, with a call under way on the slow lane, and a second one granted on the other. */
const hedgeOne = async (at: RecordAtWork, tries = 0) => {
  const { id, slow, answerSlow } = await slowCall(at, tries);
  const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
  return { id, slow, hedge, answerSlow };
};

const slowCall = async (at: RecordAtWork, tries = 0) => {
  const { id } = await at.submit(['a'], { pool: 'small' });
  await at.pool.query('UPDATE request SET tries = $1', [tries]);
  const [slow = 0] = (await at.grant(SLOW, 1)).slices.flat();
  const answerSlow = await at.startCall(slow);
  await knowCallTimes(at);
  await letPass(at, 2_100);
  return { id, slow, answerSlow };
};

/** Of the one request. */
const stateOf = async ({ pool }: RecordAtWork): Promise<unknown> => {
  const { rows } = await pool.query<{ state: string }>('SELECT state FROM request');
  return rows[0]?.state;
};

/** The grant that has the request of this hedge. */
const firstOf = async (at: RecordAtWork, hedge: number): Promise<number> => {
  const { rows } = await at.pool.query<{ grant_id: number }>(
    'SELECT r.grant_id FROM grants g JOIN request r ON r.id = g.request_id WHERE g.id = $1',
    [hedge],
  );
  return rows[0]?.grant_id ?? 0;
};

const laneOfLine = async (at: RecordAtWork, batchId: number, id: string): Promise<unknown> => {
  const line: unknown = await at.finalLine(batchId, id);
  return typeof line === 'object' && line !== null
    ? Reflect.get(Reflect.get(line, 'nightshift') ?? {}, 'lane')
    : null;
};

describe('a call that takes longer than its lane’s calls do', () => {
  test('is made a second time on a lane without work, at the instant at which it is overdue', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at }) => {
      const early = await at.grant(IDLE);
      expect(early.slices).toEqual([]);
      expect(early.wakeAtMs).toBeGreaterThan(Date.now() + 1_000);

      await letPass(at, 2_100);
      expect((await at.grant(IDLE)).slices.flat()).toHaveLength(1);
      expect((await at.grant(IDLE)).slices.flat()).toEqual([]);
    });
  });

  test('gives way to the second one if that is answered first, and the line is written once', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at, batchId, slow }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      expect(await at.ledger.superseded([slow, hedge])).toEqual([]);
      await at.runGrant(hedge, ANSWER);

      expect(await laneOfLine(at, batchId, 'a')).toBe(IDLE);
      expect(await at.ledger.superseded([slow])).toEqual([slow]);
      await at.runGrant(slow, ANSWER);
      expect(await laneOfLine(at, batchId, 'a')).toBe(IDLE);
      expect((await at.batch(batchId)).succeeded).toBe(1);
    });
  });

  test('counts if it is answered first, and the second answer is thrown away', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at, batchId, slow }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      await at.begin([hedge]);
      await at.runGrant(slow, ANSWER);
      await at.runGrant(hedge, ANSWER);

      expect(await laneOfLine(at, batchId, 'a')).toBe(SLOW);
      expect((await at.batch(batchId)).succeeded).toBe(1);
    });
  });

  test('is not hurt by a second one that fails', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at, batchId, slow }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      await at.runGrant(hedge, BROKEN);
      await at.runGrant(slow, ANSWER);
      expect(await laneOfLine(at, batchId, 'a')).toBe(SLOW);
    });
  });

  test('is left alone while anything of its batch is pending', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a', 'b', 'c'], async ({ at, batchId }) => {
      await letPass(at, 2_100);
      const [first = 0, second = 0] = (await at.grant(IDLE)).slices.flat();
      const { rows } = await at.pool.query<{ count: number }>(
        'SELECT count(DISTINCT request_id) AS count FROM grants WHERE id = ANY ($1::bigint[])',
        [[first, second]],
      );
      expect(rows[0]?.count).toBe(2);
      expect((await at.grant(IDLE)).slices.flat()).toHaveLength(1);
      expect((await at.batch(batchId)).succeeded).toBe(0);
    });
  });
});

describe('a call that its lane will not end for long', () => {
  test('is made a second time at once where another lane is done in less than half of that time', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at }) => {
      await at.pool.query('UPDATE lane_total SET mean_call_ms = 60000 WHERE lane_id = $1', [SLOW]);
      expect((await at.grant(IDLE)).slices.flat()).toHaveLength(1);
    });
  });
});

describe('a second call', () => {
  test('is not made again on a lane on which it failed', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      await at.runGrant(hedge, REFUSED);
      expect((await at.grant(IDLE)).slices.flat()).toEqual([]);
    });
  });

  test('is asked for at once where several are due', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    await at.submit(['a', 'b'], { pool: 'small' });
    await at.begin((await at.grant(SLOW, 2)).slices.flat());
    await knowCallTimes(at);
    await letPass(at, 2_100);
    expect(await at.grant(IDLE)).toMatchObject({ slices: [[expect.any(Number)]], stoppedBy: '' });
    expect((await at.grant(IDLE)).slices.flat()).toHaveLength(1);
    expect((await at.grant(IDLE)).slices.flat()).toEqual([]);
  });

  test('has the request if the first one fails for good meanwhile', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const { id, hedge, answerSlow } = await hedgeLastTry(at);
    const answerHedge = await at.startCall(hedge);
    await answerSlow(REFUSED);
    expect(await at.finalLine(id, 'a')).toBeUndefined();
    await answerHedge(ANSWER);
    expect(await laneOfLine(at, id, 'a')).toBe(IDLE);
    expect(await at.batch(id)).toMatchObject({ state: 'completed', succeeded: 1, failed: 0 });
  });

  test('has the request if the first one fails otherwise, or dies, or is given back meanwhile', async (context) => {
    const record = await openTestRecord(context);
    const ends = [
      async (at: RecordAtWork, slow: number) => await at.runGrant(slow, BROKEN),
      async ({ pool }: RecordAtWork, slow: number) =>
        void (await pool.query('SELECT close_lost_grants($1)', [[slow]])),
      async ({ pool }: RecordAtWork, slow: number) =>
        void (await pool.query("SELECT release_grants($1, 'a window ended')", [[slow]])),
    ];
    await using at = await openRecordAtWork(record);
    for (const [index, end] of ends.entries()) {
      const { id } = await at.submit([`line-${index}`], { pool: 'small' });
      const [slow = 0] = (await at.grant(SLOW, 1)).slices.flat();
      await at.begin([slow]);
      await knowCallTimes(at);
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      const answerHedge = await at.startCall(hedge);
      await end(at, slow);

      expect((await at.grant(IDLE)).slices.flat()).toEqual([]);
      expect((await at.grant(SLOW)).slices.flat()).toEqual([]);
      await answerHedge(ANSWER);
      expect(await laneOfLine(at, id, `line-${index}`)).toBe(IDLE);
      expect(await at.batch(id)).toMatchObject({ state: 'completed', succeeded: 1 });
    }
  });

  test('that failed already leaves the request to others when the first one dies', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at, batchId, slow }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      await at.runGrant(hedge, BROKEN);
      await at.pool.query('SELECT close_lost_grants($1)', [[slow]]);
      const [again = 0] = (await at.grant(SLOW)).slices.flat();
      await at.runGrant(again, ANSWER);
      expect(await at.batch(batchId)).toMatchObject({ state: 'completed', succeeded: 1 });
    });
  });

  test('fails the request if the first one has failed for good before', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const { id, hedge, answerSlow } = await hedgeLastTry(at);
    const answerHedge = await at.startCall(hedge);
    await answerSlow(REFUSED);
    await answerHedge(REFUSED);
    expect(await laneOfLine(at, id, 'a')).toBe(IDLE);
    expect(await at.batch(id)).toMatchObject({ state: 'completed', succeeded: 0, failed: 1 });
  });

  test('that has the request and whose worker dies leaves it to others', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const { id, hedge, answerSlow } = await hedgeLastTry(at);
    await at.begin([hedge]);
    await answerSlow(REFUSED);
    await at.pool.query('SELECT close_lost_grants($1)', [[hedge]]);
    const [again = 0] = (await at.grant(IDLE)).slices.flat();
    await at.runGrant(again, ANSWER);
    expect(await at.batch(id)).toMatchObject({ state: 'completed', succeeded: 1, failed: 0 });
  });

  test('that has the request is waited for although its batch expires', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at, batchId, slow }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      const answerHedge = await at.startCall(hedge);
      await at.runGrant(slow, BROKEN);
      await at.pool.query("UPDATE batch SET state = 'expiring'");
      await at.endLines();
      expect(await at.ledger.superseded([hedge])).toEqual([]);
      await answerHedge(ANSWER);
      expect(await at.batch(batchId)).toMatchObject({ state: 'completed', succeeded: 1, expired: 0 });
    });
  });

  test('that has not begun has the request all the same, and gives it back if it never does', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at, batchId, slow }) => {
      await letPass(at, 2_100);
      const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
      await at.runGrant(slow, BROKEN);
      expect((await at.grant(IDLE)).slices.flat()).toEqual([]);
      await at.pool.query("SELECT release_grants($1, 'no worker began the call')", [[hedge]]);
      const [again = 0] = (await at.grant(IDLE)).slices.flat();
      await at.runGrant(again, ANSWER);
      expect(await at.batch(batchId)).toMatchObject({ state: 'completed', succeeded: 1 });
    });
  });

  test('is made of a call on a lane that has not shown how long its calls take, after ten seconds', async (context) => {
    const record = await openTestRecord(context);
    await withSlowCall(record, ['a'], async ({ at }) => {
      await at.pool.query('DELETE FROM lane_total WHERE lane_id = $1', [SLOW]);
      await letPass(at, 7_000);
      const early = await at.grant(IDLE);
      expect(early.slices).toEqual([]);
      expect(early.wakeAtMs).toBeLessThan(Date.now() + 3_100);
      await letPass(at, 3_100);
      expect((await at.grant(IDLE)).slices.flat()).toHaveLength(1);
    });
  });

  test('is not made from a quota of the provider that requests wait for on another of its lanes', async (context) => {
    const record = await openTestRecord(context);
    const limits: readonly Limit[] = [
      { metric: 'requests', amount: 50, window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' } },
    ];
    const routing = routingFor(
      [
        aProvider([aLane(SLOW)]),
        aProvider([aLane(IDLE), aLane('beta/large', { concurrency: 1 })], { limits }),
      ],
      [
        { name: 'small', laneIds: [SLOW, IDLE] },
        { name: 'large', laneIds: ['beta/large'] },
      ],
    );
    await using at = await openRecordAtWork(record, routing);
    await at.submit(['a'], { pool: 'small' });
    await at.begin((await at.grant(SLOW, 1)).slices.flat());
    await knowCallTimes(at);
    await letPass(at, 2_100);
    const other = await at.submit(['b'], { pool: 'large', name: 'other' });
    expect((await at.grant(IDLE)).slices.flat()).toEqual([]);

    await at.call(other.id, 'beta/large', 'b', ANSWER);
    expect((await at.grant(IDLE)).slices.flat()).toHaveLength(1);
  });

  test('leaves one final line if it ends at the same moment as the first one, however both end', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const ids = Array.from({ length: 16 }, (_, index) => `line-${index}`);
    const { id } = await at.submit(ids, { pool: 'small' });
    for (let left = ids.length; left > 0; left -= 4) {
      await at.pool.query('UPDATE request SET tries = 3');
      const slow = (await at.grant(SLOW, 4)).slices.flat();
      const firsts = await Promise.all(slow.map((grantId) => at.startCall(grantId)));
      await knowCallTimes(at);
      await at.pool.query("UPDATE request SET state = 'parked' WHERE state = 'pending'");
      await letPass(at, 2_100);
      const seconds = new Map<number, Awaited<ReturnType<typeof at.startCall>>>();
      for (const _ of slow) {
        const [hedge = 0] = (await at.grant(IDLE)).slices.flat();
        seconds.set(await firstOf(at, hedge), await at.startCall(hedge));
      }
      const replies = [REFUSED, REFUSED, ANSWER, ANSWER, REFUSED, ANSWER, REFUSED, ANSWER];
      const answers = [...firsts, ...slow.map((grantId) => seconds.get(grantId))];
      await Promise.all(answers.map(async (answer, index) => await answer?.(replies[index] ?? ANSWER)));
      await at.pool.query("UPDATE request SET state = 'pending' WHERE state = 'parked'");
    }
    const { rows } = await at.pool.query('SELECT count(*) AS lines FROM result');
    expect(rows).toEqual([{ lines: ids.length }]);
    expect(await at.batch(id)).toMatchObject({ state: 'completed', succeeded: 12, failed: 4 });
  });
});

const release = async ({ pool }: RecordAtWork, hedge: number): Promise<void> =>
  void (await pool.query("SELECT release_grants($1, 'no worker began the call')", [[hedge]]));

describe('a request that is left to its second call', () => {
  test('is not called again where it was refused for good, whether the second call fails or never begins', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const unbegun = await hedgeOne(at);
    await unbegun.answerSlow(REFUSED);
    await release(at, unbegun.hedge);
    expect((await at.grant(SLOW)).slices.flat()).toEqual([]);
    await at.store.remove(unbegun.id);

    const { hedge, answerSlow } = await hedgeOne(at);
    const answerHedge = await at.startCall(hedge);
    await answerSlow(REFUSED);
    await answerHedge(BROKEN);
    expect((await at.grant(SLOW)).slices.flat()).toEqual([]);
  });

  test('leaves a lane that failed a moment ago to others for a while', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const { hedge, answerSlow } = await hedgeOne(at);
    const answerHedge = await at.startCall(hedge);
    await answerSlow(BROKEN);
    await answerHedge(BROKEN);
    expect((await at.grant(SLOW)).slices.flat()).toEqual([]);
  });

  test('has no more tries than any other', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const spent = await hedgeOne(at, 3);
    await spent.answerSlow(REFUSED);
    await release(at, spent.hedge);
    expect(await at.batch(spent.id)).toMatchObject({ state: 'completed', failed: 1 });
    await at.store.remove(spent.id);

    const { id, hedge, answerSlow } = await hedgeOne(at, 2);
    const answerHedge = await at.startCall(hedge);
    await answerSlow(REFUSED);
    await answerHedge(REFUSED);
    expect(await at.batch(id)).toMatchObject({ state: 'completed', failed: 1 });
  });

  test('may be cancelled, given up and paused, and its batch removed', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    for (const hasBegun of [false, true]) {
      const { id, hedge, answerSlow } = await hedgeOne(at);
      const answerHedge = hasBegun
        ? await at.startCall(hedge)
        : async (): Promise<void> => await at.runGrant(hedge, ANSWER);
      await answerSlow(BROKEN);
      await at.batches.cancel(`id:${id}`);
      await answerHedge(BROKEN);
      await at.endLines();
      expect(await at.batch(id)).toMatchObject({ state: 'cancelled', cancelled: 1 });
      await at.store.remove(id);
      const { rows } = await at.pool.query(
        `SELECT l.scope FROM quota_limit l WHERE l.used <> coalesce((SELECT sum(amount) FROM quota_use u WHERE u.limit_id = l.id), 0)
         UNION ALL SELECT g.lane_id FROM grants g WHERE g.state <> 'closed'`,
      );
      expect(rows).toEqual([]);
    }
  });

  const ends = [
    {
      how: 'fails',
      end: async (_at: RecordAtWork, { answerSlow }: Awaited<ReturnType<typeof slowCall>>) =>
        await answerSlow(BROKEN),
    },
    {
      how: 'is lost',
      end: async ({ pool }: RecordAtWork, { slow }: Awaited<ReturnType<typeof slowCall>>) =>
        void (await pool.query('SELECT close_lost_grants($1)', [[slow]])),
    },
    {
      how: 'is given back',
      end: async ({ pool }: RecordAtWork, { slow }: Awaited<ReturnType<typeof slowCall>>) =>
        void (await pool.query("SELECT release_grants($1, 'a window ended')", [[slow]])),
    },
  ];
  test.each(ends)(
    'waits for no other where the first $how while the second is being granted',
    async ({ end }) => {
      await using record = await openNamedRecord('hedges in a race');
      await using at = await openRecordAtWork(record);
      const first = await slowCall(at);
      const granting = await at.pool.connect();
      await granting.query('BEGIN');
      await granting.query("SELECT * FROM grant_requests($1, 'beta', 100000, 4096, 100000, 8, '{}', '{}')", [
        IDLE,
      ]);
      const ended = end(at, first);
      await waitingForLocks(at.pool, 1);
      await granting.query('COMMIT');
      granting.release();
      await ended;
      expect(await stateOf(at)).toBe('granted');
      expect((await at.grant(SLOW)).slices.flat()).toEqual([]);
    },
  );

  test('waits for no other where the first is lost while the second is being begun', async (context) => {
    const record = await openTestRecord(context);
    await using at = await openRecordAtWork(record);
    const { slow, hedge } = await hedgeOne(at);
    const beginning = await at.pool.connect();
    await beginning.query('BEGIN');
    await beginning.query('SELECT * FROM begin_grants($1::bigint[], $2)', [[hedge], at.processId()]);
    const lost = at.pool.query('SELECT close_lost_grants($1)', [[slow]]);
    await Promise.race([lost, waitingForLocks(at.pool, 1)]);
    await beginning.query('COMMIT');
    beginning.release();
    await lost;
    expect(await stateOf(at)).toBe('granted');
    expect((await at.grant(SLOW)).slices.flat()).toEqual([]);
  });
});
