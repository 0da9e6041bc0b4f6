import { describe, expect, test, type TestContext } from 'vitest';
import { postgresSituationReader } from '../../../src/adapters/postgres/situation-reader.ts';
import type { FinishedCall } from '../../../src/app/ledger.ts';
import type { ServedLane } from '../../../src/app/process-registry.ts';
import type { Lane, Limit, Window } from '../../../src/core/model.ts';
import type { PlanLane, PlanLimit, Situation } from '../../../src/core/plan/situation.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { stopClockAt } from '../../contracts/quota-record.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { openRecordAtWork, type RecordAtWork, SUCCEEDED } from './a-record-at-work.ts';

/** What became of a call that failed on its lane. */
const SICK = { outcome: 'sick', usage: null, settlement: 'estimate' } as const;

const LANE = 'alpha/small';
const OTHER = 'beta/small';
const START_MS = Date.parse('2026-11-20T12:00:10Z');
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Bench {
  readonly work: RecordAtWork;
  read(): Promise<Situation>;
  lane(id?: string): Promise<PlanLane>;
  limit(): Promise<PlanLimit>;
  /** Grants and begins what there is room for, and answers the ids. */
  beginSome(atMost?: number): Promise<readonly number[]>;
  end(grantIds: readonly number[], changes?: Partial<FinishedCall>): Promise<void>;
  query(text: string, values?: readonly unknown[]): Promise<void>;
}

interface BenchOptions {
  readonly lane?: Partial<Lane>;
  readonly limits?: readonly Limit[];
  readonly lines?: number;
}

/** A record that stands still at `START_MS`, with lines for a pool of two lanes. */
const openBench = async (
  context: TestContext,
  { lane = {}, limits = [], lines = 20 }: BenchOptions = {},
): Promise<Bench> => {
  const providers = [
    aProvider([aLane(LANE, { limits, ...lane })], { concurrency: 3 }),
    aProvider([aLane(OTHER)]),
  ];
  const routing = routingFor(providers, [{ name: 'alone', laneIds: [LANE, OTHER] }]);
  const record = await openTestRecord(context);
  const work = await openRecordAtWork(record, routing);
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  await stopClockAt(work.pool, START_MS);
  if (lines > 0) await work.submit(Array.from({ length: lines }, (_, index) => `line-${index}`));
  const served = providers.flatMap((provider): readonly ServedLane[] =>
    provider.lanes.map((own) => ({ lane: own, provider })),
  );
  const read = (): Promise<Situation> => postgresSituationReader(work.pool).read(served);
  return {
    work,
    read,
    async lane(id = LANE) {
      const found = (await read()).lanes.find((own) => own.id === id);
      if (found === undefined) throw new Error(`Expected the lane ${id}, found none.`);
      return found;
    },
    async limit() {
      const [found] = (await read()).limits;
      if (found === undefined) throw new Error('Expected a limit, found none.');
      return found;
    },
    async beginSome(atMost = 256) {
      const { slices } = await work.grant(LANE, atMost);
      return (await work.begin(slices.flat())).map(({ grantId }) => grantId);
    },
    end: async (grantIds, changes = {}) =>
      await work.ledger.finish(grantIds.map((grantId) => ({ ...SUCCEEDED, grantId, ...changes }))),
    async query(text, values = []) {
      await work.pool.query(text, [...values]);
    },
  };
};

const requests = (amount: number, window: Window): Limit => ({ metric: 'requests', amount, window });

const countOf = ({ cells }: Situation): number => cells.reduce((sum, { count }) => sum + count, 0);

describe('what waits', () => {
  test('is what is pending or parked of batches in progress that are not paused', async (context) => {
    const bench = await openBench(context);
    expect(countOf(await bench.read())).toBe(20);
    const [first, second] = await bench.beginSome(2);
    expect(countOf(await bench.read())).toBe(18);
    await bench.end([first ?? 0]);
    await bench.end([second ?? 0], {
      ...SICK,
      next: { kind: 'parked', untilMs: START_MS + 30_000 },
    });
    expect(countOf(await bench.read())).toBe(19);
    await bench.query('UPDATE batch SET is_paused = true');
    expect(await bench.read()).toMatchObject({ cells: [], routes: [] });
    await bench.query("UPDATE batch SET is_paused = false, state = 'cancelling'");
    expect(await bench.read()).toMatchObject({ cells: [], routes: [] });
  });

  test('may go to the lanes of its pool, in their order, that have not failed it', async (context) => {
    const bench = await openBench(context);
    const route = { batchId: 1, priority: 0 };
    expect((await bench.read()).routes).toMatchObject([{ ...route, id: 1, laneIds: [LANE, OTHER] }]);
    await bench.query("SELECT intern_route(1, 'alone', '{alpha/small}'), intern_route(1, 'alone', '{beta}')");
    expect((await bench.read()).routes).toMatchObject([
      { ...route, id: 1, laneIds: [LANE, OTHER] },
      { ...route, id: 2, laneIds: [OTHER] },
      { ...route, id: 3, laneIds: [LANE] },
    ]);
  });

  test('and failed on a lane a moment ago has that lane again soon, unless it is excluded for good', async (context) => {
    const bench = await openBench(context);
    const failed: Partial<FinishedCall> = {
      ...SICK,
      next: { kind: 'pending', avoidUntilMs: START_MS + 300_000 },
    };
    const [first, second, third] = await bench.beginSome(3);
    await bench.end([first ?? 0], { ...failed, avoided: [LANE] });
    await bench.end([second ?? 0], { ...failed, excluded: [OTHER], avoided: [LANE] });
    await bench.end([third ?? 0], {
      ...failed,
      excluded: [LANE],
      next: { kind: 'pending', avoidUntilMs: null },
    });
    const { routes } = await bench.read();
    expect(routes.map(({ laneIds, laneIdsSoon }) => ({ laneIds, laneIdsSoon }))).toEqual([
      { laneIds: [LANE, OTHER], laneIdsSoon: undefined },
      { laneIds: [OTHER], laneIdsSoon: [LANE, OTHER] },
      { laneIds: [], laneIdsSoon: [LANE] },
      { laneIds: [OTHER], laneIdsSoon: undefined },
    ]);
  });

  test('and is parked may go where it may once its time has come, whatever it avoids until then', async (context) => {
    const bench = await openBench(context);
    const parked: Partial<FinishedCall> = {
      ...SICK,
      next: { kind: 'parked', untilMs: START_MS + 30_000 },
    };
    const [first, second, third] = await bench.beginSome(3);
    await bench.end([first ?? 0], { ...parked, avoided: [LANE, OTHER] });
    await bench.end([second ?? 0], { ...parked, excluded: [OTHER], avoided: [LANE] });
    await bench.end([third ?? 0], { ...parked, excluded: [OTHER], avoided: [LANE] });
    const { cells, routes } = await bench.read();
    const lanesOf = (id: number): readonly string[] | undefined =>
      routes.find((route) => route.id === id)?.laneIds;
    expect(
      cells
        .map(({ routeId, count }) => [lanesOf(routeId), count])
        .toSorted((a, b) => Number(a[1]) - Number(b[1])),
    ).toEqual([
      [[LANE, OTHER], 1],
      [[LANE], 2],
      [[LANE, OTHER], 17],
    ]);
    expect(cells.filter(({ routeId }) => routeId < 0).map(({ count }) => count)).toEqual([2]);
  });

  test('has answers as long as the last ones of its batch to prompts of the same size', async (context) => {
    const bench = await openBench(context, { lane: { concurrency: 16 } });
    await bench.query("UPDATE quota_limit SET amount = 16, declared = 16 WHERE metric = 'calls'");
    const ids = await bench.beginSome(8);
    expect(ids).toHaveLength(8);
    expect((await bench.read()).answers).toEqual([]);
    await bench.end(ids.slice(0, 7));
    await bench.end(ids.slice(7), { usage: { promptTokens: 100, completionTokens: 100 } });
    expect((await bench.read()).answers).toEqual([
      { batchId: 1, band: expect.any(Number), answers: 8, tokens: 240 },
    ]);
  });
});

describe('a lane', () => {
  test('that has shown nothing is as its terms say', async (context) => {
    const bench = await openBench(context, { lane: { unitCost: { input: 2, output: 9 }, tokenRatio: 1.5 } });
    expect(await bench.lane()).toEqual({
      id: LANE,
      providerId: 'alpha',
      slots: 3,
      callMs: 5_000,
      guess: 'untold',
      failureShare: 0,
      tokenRatio: 1.2,
      tokenRatioAtMost: 1.5,
      contextTokens: 8_192,
      maxOutputTokens: 4_096,
      unitCost: { input: 2, output: 9 },
      opensAtMs: 0,
    });
    expect((await bench.lane(OTHER)).unitCost).toBeUndefined();
    expect((await bench.read()).providers).toEqual([
      { id: 'alpha', concurrency: 3 },
      { id: 'beta', concurrency: null },
    ]);
  });

  test('is as its calls have shown it, and as quick as the others until they have', async (context) => {
    const bench = await openBench(context);
    await bench.query('UPDATE request SET prompt_tokens = 200');
    const ids = await bench.beginSome(3);
    await bench.end(ids.slice(0, 1), {
      durationMs: 2_000,
      usage: { promptTokens: 220, completionTokens: 20 },
    });
    await bench.end(ids.slice(1), {
      ...SICK,
      durationMs: 10,
      next: { kind: 'pending', avoidUntilMs: null },
    });
    const lane = await bench.lane();
    expect(lane).toMatchObject({ callMs: 2_000, failureShare: 1 / 16 });
    expect(lane.guess).toBeUndefined();
    expect(await bench.lane(OTHER)).toMatchObject({ callMs: 2_000, failureShare: 0, tokenRatio: 1 });
    // 220 tokens for 200, and 16 by which its template may be shorter than it was counted.
    expect([lane.tokenRatio, lane.tokenRatioAtMost]).toEqual([1.18, expect.closeTo(1.475, 9)]);
  });

  test('is known to be waited for the first time', async (context) => {
    const bench = await openBench(context);
    await bench.beginSome(1);
    expect(await bench.lane()).toMatchObject({ callMs: 5_000, guess: 'awaited' });
    await bench.query('INSERT INTO lane_total (lane_id, calls) VALUES ($1, 1)', [LANE]);
    expect(await bench.lane()).toMatchObject({ callMs: 5_000, guess: 'untold' });
    await bench.query('DELETE FROM lane_total');
    expect(await bench.lane(OTHER)).toMatchObject({ callMs: 5_000, guess: 'untold' });
  });

  test('fails as often as it did lately, but never more than half of the time', async (context) => {
    const bench = await openBench(context);
    await bench.query('INSERT INTO lane_total (lane_id, failure_share) VALUES ($1, 0.2)', [LANE]);
    expect((await bench.lane()).failureShare).toBe(0.2);
    await bench.query('UPDATE lane_total SET failure_share = 0.9');
    expect((await bench.lane()).failureShare).toBe(0.5);
  });

  test('is expected back for ten minutes after it has lost its worker', async (context) => {
    const bench = await openBench(context);
    await bench.beginSome(1);
    expect((await bench.lane()).awaySlots).toBeUndefined();
    await bench.query("UPDATE process SET heartbeat_at = clock_timestamp() - interval '1 minute'");
    expect(await bench.lane()).toMatchObject({ slots: 0, awaySlots: 3 });
    expect((await bench.lane(OTHER)).awaySlots).toBeUndefined();
    await bench.query("UPDATE lane_queue SET used_at = clock_timestamp() - interval '11 minutes'");
    expect((await bench.lane()).awaySlots).toBeUndefined();
  });

  test('has the slots of live workers, within the limits of calls at once in force', async (context) => {
    const bench = await openBench(context);
    expect([(await bench.lane()).slots, (await bench.lane(OTHER)).slots]).toEqual([3, 4]);
    await bench.query("UPDATE quota_limit SET amount = 1 WHERE scope = 'alpha/small' AND metric = 'calls'");
    expect((await bench.lane()).slots).toBe(1);
    await bench.query("UPDATE process SET heartbeat_at = clock_timestamp() - interval '20 s'");
    expect((await bench.lane(OTHER)).slots).toBe(0);
  });

  test('opens when it and its provider do, and never by itself where somebody has to do something', async (context) => {
    const bench = await openBench(context);
    await bench.query(
      `INSERT INTO health (scope, closed_until_ms, breaker_until_ms) VALUES ($1, $2, NULL), ('alpha', NULL, $3)`,
      [LANE, START_MS + 1_000, START_MS + 5_000],
    );
    expect((await bench.lane()).opensAtMs).toBe(START_MS + 5_000);
    expect((await bench.lane(OTHER)).opensAtMs).toBe(0);
    await bench.query('UPDATE health SET needs_user = true');
    expect((await bench.lane()).opensAtMs).toBe(Infinity);
    await bench.query('DELETE FROM health');
    await bench.work.health.pause(OTHER);
    expect([(await bench.lane()).opensAtMs, (await bench.lane(OTHER)).opensAtMs]).toEqual([0, Infinity]);
  });
});

describe('a limit', () => {
  test.for<Window>([
    { kind: 'rolling', perMs: MINUTE_MS },
    { kind: 'refill', perMs: MINUTE_MS },
    { kind: 'fixed', perMs: MINUTE_MS, anchorAtMs: 5_000 },
    { kind: 'fixed-month', anchorAtMs: START_MS - DAY_MS, timeZone: 'Europe/Berlin' },
    { kind: 'calendar', unit: 'week', timeZone: 'America/Los_Angeles' },
    { kind: 'session', perMs: MINUTE_MS },
  ])(
    'of the kind $kind has its window, its amount in force, and nothing used at first',
    async (window, context) => {
      const bench = await openBench(context, { limits: [requests(10, window)] });
      await bench.query("UPDATE quota_limit SET amount = 8 WHERE metric = 'requests'");
      const { marginMs, ...limit } = await bench.limit();
      const amounts = { amount: 8, declared: 10, used: 0 };
      expect(limit).toEqual({ scope: LANE, metric: 'requests', window, ...amounts, freeings: [] });
      expect(marginMs).toBeGreaterThan(0);
    },
  );

  test('that rolls frees what began when its window has passed, and what is held at an unknown instant', async (context) => {
    const bench = await openBench(context, { limits: [requests(10, { kind: 'rolling', perMs: MINUTE_MS })] });
    await bench.beginSome(1);
    await stopClockAt(bench.work.pool, START_MS + 20_000);
    await bench.beginSome(1);
    await bench.work.grant(LANE, 1);
    const { used, freeings, marginMs } = await bench.limit();
    const endsMs = START_MS + MINUTE_MS + marginMs + 1;
    expect({ used, freeings }).toEqual({
      used: 3,
      freeings: [
        { atMs: endsMs, amount: 1 },
        { atMs: endsMs + 20_000, amount: 1 },
      ],
    });
    await stopClockAt(bench.work.pool, endsMs);
    expect(await bench.limit()).toMatchObject({ used: 2, freeings: [{ atMs: endsMs + 20_000, amount: 1 }] });
  });

  test('of many uses frees in 48 steps at most, none of them early', async (context) => {
    const bench = await openBench(context, { limits: [requests(5_000, { kind: 'rolling', perMs: DAY_MS })] });
    await bench.query(
      `INSERT INTO quota_use (limit_id, grant_id, amount, expires_at_ms)
       SELECT l.id, g, 1, $1::bigint + g * 20000 FROM quota_limit l, generate_series(1, 4000) AS g WHERE l.metric = 'requests'`,
      [START_MS],
    );
    await bench.query("UPDATE quota_limit SET used = 4000 WHERE metric = 'requests'");
    const { used, freeings } = await bench.limit();
    expect([used, freeings.length > 40, freeings.length <= 48]).toEqual([4_000, true, true]);
    let freed = 0;
    for (const { atMs, amount } of freeings) {
      freed += amount;
      expect(atMs).toBe(START_MS + freed * 20_000);
    }
    expect(freed).toBe(4_000);
  });

  test.for<{ readonly kind: string; readonly window: Window; readonly end: string }>([
    {
      kind: 'fixed',
      window: { kind: 'fixed', perMs: MINUTE_MS, anchorAtMs: 0 },
      end: '2026-11-20T12:01:00Z',
    },
    {
      kind: 'calendar',
      window: { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' },
      end: '2026-11-21T08:00:00Z',
    },
  ])(
    'of $kind windows frees at the next boundary, but for what is held',
    async ({ window, end }, context) => {
      const bench = await openBench(context, { limits: [requests(10, window)] });
      await bench.beginSome(2);
      await bench.work.grant(LANE, 1);
      const { used, freeings, marginMs } = await bench.limit();
      const endMs = Date.parse(end) + marginMs;
      expect({ used, freeings }).toEqual({ used: 3, freeings: [{ atMs: endMs, amount: 2 }] });
      await stopClockAt(bench.work.pool, endMs);
      expect(await bench.limit()).toMatchObject({ used: 1, freeings: [] });
    },
  );

  test('of sessions frees at the latest end of the one that is open', async (context) => {
    const bench = await openBench(context, {
      limits: [requests(10, { kind: 'session', perMs: MINUTE_MS })],
    });
    await bench.beginSome(2);
    const { used, freeings, marginMs } = await bench.limit();
    const endMs = START_MS + 1 + MINUTE_MS + marginMs;
    expect({ used, freeings }).toEqual({ used: 2, freeings: [{ atMs: endMs, amount: 2 }] });
    await stopClockAt(bench.work.pool, endMs);
    expect(await bench.limit()).toMatchObject({ used: 0, freeings: [] });
  });

  test('that refills drains what has ended, whether or not somebody has settled it since', async (context) => {
    const bench = await openBench(context, { limits: [requests(10, { kind: 'refill', perMs: MINUTE_MS })] });
    const ids = await bench.beginSome(3);
    const { used, freeings, marginMs } = await bench.limit();
    expect({ used, freeings }).toEqual({ used: 3, freeings: [] });
    // They found the bucket full.
    const endedAtMs = START_MS + 4 * marginMs + 1;
    await stopClockAt(bench.work.pool, endedAtMs + 6_000);
    expect((await bench.limit()).used).toBeCloseTo(2, 9);
    await bench.end(ids);
    expect((await bench.limit()).used).toBeCloseTo(2, 9);
    await stopClockAt(bench.work.pool, endedAtMs + 12_000);
    expect((await bench.limit()).used).toBeCloseTo(1, 9);
    await stopClockAt(bench.work.pool, endedAtMs + MINUTE_MS);
    expect((await bench.limit()).used).toBe(0);
  });

  test('that nobody declares any more, and calls at once, are left out', async (context) => {
    const bench = await openBench(context, { limits: [requests(10, { kind: 'rolling', perMs: MINUTE_MS })] });
    expect((await bench.read()).limits).toHaveLength(1);
    await bench.query("UPDATE quota_limit SET active = false WHERE metric = 'requests'");
    expect((await bench.read()).limits).toEqual([]);
  });
});

test('a batch pays for what is left when its last hours before the deadline end', async (context) => {
  const bench = await openBench(context);
  const pays = async () => (await bench.read()).routes.map((route) => route.pays);
  expect(await pays()).toEqual([undefined]);
  const noonAfterMs = Date.parse('2026-11-21T12:00Z');
  await bench.query(
    'UPDATE batch SET max_cost_nano_dollars = 9, spent_nano_dollars = 4, held_nano_dollars = 2, deadline_at_ms = $1',
    [noonAfterMs],
  );
  expect(await pays()).toEqual([{ deadlineAtMs: noonAfterMs, leftNanoDollars: 3 }]);
  const night = { fromMinute: 600, untilMinute: 420, timeZone: 'UTC' };
  await bench.query('UPDATE batch SET night_window = $1', [JSON.stringify(night)]);
  expect(await pays()).toEqual([{ deadlineAtMs: noonAfterMs, leftNanoDollars: 3 }]);
  await bench.query('UPDATE batch SET night_window = $1', [JSON.stringify({ ...night, fromMinute: 720 })]);
  expect(await pays()).toEqual([{ deadlineAtMs: Date.parse('2026-11-21T07:00Z'), leftNanoDollars: 3 }]);
  await bench.query('UPDATE batch SET deadline_at_ms = NULL');
  expect(await pays()).toEqual([{ deadlineAtMs: null, leftNanoDollars: 3 }]);
});

test('what a batch without a budget has not done by then expires', async (context) => {
  const bench = await openBench(context);
  const expiries = async () => (await bench.read()).routes.map((route) => route.expiresAtMs);
  expect(await expiries()).toEqual([undefined]);
  const noonAfterMs = Date.parse('2026-11-21T12:00Z');
  await bench.query('UPDATE batch SET deadline_at_ms = $1', [noonAfterMs]);
  expect(await expiries()).toEqual([noonAfterMs]);
  await bench.query('UPDATE batch SET max_cost_nano_dollars = 1');
  expect(await expiries()).toEqual([undefined]);
});

test('reading waits for nobody who holds limits, requests or batches', async (context) => {
  const bench = await openBench(context, { limits: [requests(10, { kind: 'rolling', perMs: MINUTE_MS })] });
  const holder = await bench.work.pool.connect();
  try {
    await holder.query('BEGIN');
    for (const table of ['quota_limit', 'request', 'batch', 'lane_total', 'process'])
      await holder.query(`SELECT FROM ${table} FOR UPDATE`);
    expect((await bench.read()).nowMs).toBe(START_MS);
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
});
