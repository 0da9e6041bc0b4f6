/** Limits that turn out lower than declared, and higher again: what the record grants, against a provider that counts for itself. */
import { describe, expect, test, type TestContext } from 'vitest';
import { syncConfiguration } from '../../../src/adapters/postgres/sync-configuration.ts';
import type { FinishedCall, LimitRefusal, ToldLimits } from '../../../src/app/ledger.ts';
import type { Lane, Limit } from '../../../src/core/model.ts';
import type { Standing } from '../../../src/core/quota/standing.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { stopClockAt } from '../../contracts/quota-record.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { openRecordAtWork, type RecordAtWork, SUCCEEDED } from './a-record-at-work.ts';

const LANE = 'alpha/small';
/** Well within a minute: at its boundary nobody can tell which minute a provider speaks of. */
const START_MS = Date.parse('2026-11-20T12:00:10Z');
const PER_MS = 60_000;
const PERIODS = {
  rolling: { kind: 'rolling', perMs: PER_MS },
  fixed: { kind: 'fixed', perMs: PER_MS, anchorAtMs: 0 },
  refill: { kind: 'refill', perMs: PER_MS },
  session: { kind: 'session', perMs: PER_MS },
} as const;

const routingWith = (limits: readonly Limit[], lane: Partial<Lane> = {}) =>
  routingFor(
    [aProvider([aLane(LANE, { concurrency: 4, limits, ...lane })])],
    [{ name: 'alone', laneIds: [LANE] }],
  );

interface Bench {
  readonly work: RecordAtWork;
  nowMs(): number;
  moveTo(atMs: number): Promise<void>;
  /** Grants and begins what there is room for; at most so many. */
  beginSome(atMost?: number): Promise<readonly number[]>;
  end(grantId: number, changes?: Partial<FinishedCall>): Promise<void>;
  limit(): Promise<LimitRow>;
}

interface LimitRow {
  readonly amount: number;
  readonly declared: number;
  readonly refusals: number;
  readonly lowered_reason: string | null;
  readonly used: number;
  readonly debt: number;
}

const LINES = Array.from({ length: 1_500 }, (_, index) => `line-${index}`);

const openBench = async (
  context: TestContext,
  limits: readonly Limit[],
  lane: Partial<Lane> = {},
): Promise<Bench> => {
  const record = await openTestRecord(context);
  const work = await openRecordAtWork(record, routingWith(limits, lane));
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  await work.submit(LINES);
  let nowMs = START_MS;
  await stopClockAt(work.pool, nowMs);
  return {
    work,
    nowMs: () => nowMs,
    async moveTo(atMs) {
      nowMs = atMs;
      await stopClockAt(work.pool, nowMs);
    },
    async beginSome(atMost = 256) {
      const { slices } = await work.grant(LANE, atMost);
      return (await work.begin(slices.flat())).map(({ grantId }) => grantId);
    },
    end: async (grantId, changes = {}) => await work.ledger.finish([{ ...SUCCEEDED, grantId, ...changes }]),
    async limit() {
      const { rows } = await work.pool.query<LimitRow>("SELECT * FROM quota_limit WHERE metric <> 'calls'");
      const [row] = rows;
      if (row === undefined) throw new Error('Expected a limit, found none.');
      return row;
    },
  };
};

const refusedBy = (named: Partial<LimitRefusal> = {}): Partial<FinishedCall> => ({
  outcome: 'minute-limit',
  reason: 'HTTP 429: slow down',
  usage: null,
  settlement: 'request',
  countsAsTry: false,
  next: { kind: 'pending', avoidUntilMs: null },
  told: told([], {
    scope: 'lane',
    isLong: false,
    isConcurrency: false,
    metric: null,
    periodMs: null,
    amount: null,
    used: null,
    ...named,
  }),
});

const told = (standings: readonly Standing[], refusal: LimitRefusal | null = null): ToldLimits => ({
  standings,
  refusal,
});

const requests = (amount: number, window: Limit['window'], reserved?: number): Limit => ({
  metric: 'requests',
  amount,
  window,
  ...(reserved === undefined ? {} : { reserved }),
});

/** What a provider of another limit than the declared one sees: calls it took and calls it refused, by window. */
interface Seen {
  readonly taken: readonly number[];
  readonly refused: readonly number[];
}

/** How long a call takes, and how often the night is looked at. */
const STEP_MS = 500;

/** A night on a provider whose true limit is this in each window; four calls are under way at once. */
const nightOn = async (
  bench: Bench,
  windows: number,
  trueLimit: (window: number) => number,
  window: Limit['window'],
): Promise<Seen> => {
  const taken = Array.from({ length: windows }, () => 0);
  const refused = Array.from({ length: windows }, () => 0);
  const arrivals: number[] = [];
  let session = { fromMs: Number.NEGATIVE_INFINITY };
  const underWay: { readonly grantId: number; readonly endsAtMs: number; readonly isTaken: boolean }[] = [];
  const first = bench.nowMs();
  const inWindow = (atMs: number): number => {
    if (window.kind === 'fixed')
      return arrivals.filter((at) => Math.floor(at / PER_MS) === Math.floor(atMs / PER_MS)).length;
    if (window.kind === 'session') return arrivals.filter((at) => at >= session.fromMs).length;
    return arrivals.filter((at) => at > atMs - PER_MS).length;
  };
  for (let atMs = first; atMs < first + windows * PER_MS; atMs += STEP_MS) {
    await bench.moveTo(atMs);
    const place = Math.floor((atMs - first) / PER_MS);
    for (const call of underWay.filter(({ endsAtMs }) => endsAtMs <= atMs)) {
      underWay.splice(underWay.indexOf(call), 1);
      await bench.end(call.grantId, call.isTaken ? {} : refusedBy());
    }
    for (const grantId of await bench.beginSome()) {
      if (window.kind === 'session' && atMs >= session.fromMs + PER_MS) session = { fromMs: atMs };
      const isTaken = inWindow(atMs) < trueLimit(place);
      if (isTaken) arrivals.push(atMs);
      const count = isTaken ? taken : refused;
      count[place] = (count[place] ?? 0) + 1;
      underWay.push({ grantId, endsAtMs: atMs + STEP_MS, isTaken });
    }
  }
  return { taken, refused };
};

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

describe('a provider whose true limit is 30 % under the declared one', () => {
  for (const kind of ['rolling', 'fixed', 'session'] as const) {
    test(
      `refuses a handful of calls, and is used to the full again soon after it allows more (${kind})`,
      { timeout: 120_000 },
      async (context) => {
        const bench = await openBench(context, [requests(60, PERIODS[kind])]);
        const { taken, refused } = await nightOn(
          bench,
          18,
          (window) => (window < 9 ? 42 : 60),
          PERIODS[kind],
        );
        // In the first window, and by single probes that come ever more rarely.
        expect(total(refused)).toBeLessThanOrEqual(8);
        expect(total(refused.slice(2))).toBeLessThanOrEqual(3);
        expect(total(taken.slice(1, 9))).toBeGreaterThanOrEqual(8 * 41);
        expect(total(taken.slice(-2))).toBeGreaterThanOrEqual(2 * 59);
        expect(await bench.limit()).toMatchObject({
          amount: 60,
          declared: 60,
          refusals: 0,
          lowered_reason: null,
        });
      },
    );
  }
});

describe('a refusal although there was room by our count', () => {
  test('lowers the limit to what had been used before the first call that is refused, and keeps the reason', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.rolling)]);
    const calls = [...(await bench.beginSome()), ...(await bench.beginSome())];
    const [one = 0, two = 0, three = 0, four = 0] = calls;
    await bench.end(one);
    await bench.end(two);
    await bench.end(four, refusedBy());
    expect(await bench.limit()).toMatchObject({
      amount: 3,
      refusals: 1,
      lowered_reason: 'HTTP 429: slow down',
    });
    await bench.end(three, refusedBy());
    expect(await bench.limit()).toMatchObject({ amount: 2, refusals: 2 });
  });

  test('is held against the limit that it names, and not against the one that is nearly used up', async (context) => {
    const bench = await openBench(context, [
      requests(4, PERIODS.rolling),
      { metric: 'tokens', amount: 1_000_000, window: PERIODS.rolling },
    ]);
    const [one = 0, two = 0] = await bench.beginSome();
    await bench.end(one);
    await bench.end(two, refusedBy({ metric: 'tokens', periodMs: PER_MS, amount: 6_000, used: 5_900 }));
    const { rows } = await bench.work.pool.query(
      "SELECT metric, amount FROM quota_limit WHERE metric <> 'calls' ORDER BY metric",
    );
    expect(rows).toEqual([
      { metric: 'requests', amount: 4 },
      { metric: 'tokens', amount: 6_000 },
    ]);
  });

  test('of a day says nothing of the minute', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.rolling)]);
    const [one = 0] = await bench.beginSome();
    await bench.end(one, { ...refusedBy({ isLong: true }), outcome: 'day-limit' });
    expect(await bench.limit()).toMatchObject({ amount: 10, refusals: 0 });
  });

  test('lets nothing be granted beyond what is left until a probe is due, and then one call', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.fixed)]);
    const [one = 0, two = 0, three = 0, four = 0] = await bench.beginSome();
    for (const grantId of [one, two, three]) await bench.end(grantId);
    await bench.end(four, refusedBy());
    await bench.moveTo(START_MS + PER_MS);
    const next = await bench.beginSome();
    expect(next).toHaveLength(3);
    for (const grantId of next) await bench.end(grantId);
    const probe = await bench.beginSome();
    expect(probe).toHaveLength(1);
    expect(await bench.beginSome()).toEqual([]);
    await bench.end(probe[0] ?? 0);
    expect(await bench.limit()).toMatchObject({ amount: 4, declared: 10 });
  });

  test('for calls at once lowers those, and is tried again with one more a minute later', async (context) => {
    const bench = await openBench(context, []);
    const atOnce = async (): Promise<unknown> => {
      const { rows } = await bench.work.pool.query<{ amount: number; declared: number }>(
        "SELECT amount, declared FROM quota_limit WHERE scope = $1 AND metric = 'calls'",
        [LANE],
      );
      return rows[0];
    };
    const calls = await bench.beginSome();
    expect(calls).toHaveLength(4);
    await bench.end(calls[1] ?? 0, refusedBy({ isConcurrency: true }));
    expect(await atOnce()).toEqual({ amount: 1, declared: 4 });
    for (const grantId of [calls[0], calls[2], calls[3]]) await bench.end(grantId ?? 0);
    expect(await bench.beginSome()).toHaveLength(1);
    expect(await bench.beginSome()).toEqual([]);
    await bench.moveTo(START_MS + 60_000);
    const probe = await bench.beginSome();
    expect(probe).toHaveLength(1);
    await bench.end(probe[0] ?? 0);
    expect(await atOnce()).toEqual({ amount: 2, declared: 4 });
  });

  test('goes with a configuration that declares as little', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.rolling)]);
    const [one = 0, two = 0] = await bench.beginSome();
    await bench.end(one);
    await bench.end(two, refusedBy());
    await syncConfiguration(bench.work.pool, routingWith([requests(8, PERIODS.rolling)]), new Map());
    expect(await bench.limit()).toMatchObject({ amount: 1, declared: 8, refusals: 1 });
    await syncConfiguration(bench.work.pool, routingWith([requests(1, PERIODS.rolling)]), new Map());
    expect(await bench.limit()).toMatchObject({ amount: 1, declared: 1, refusals: 0 });
  });
});

const standing = (changes: Partial<Standing>): Partial<FinishedCall> => ({
  told: told([{ scope: 'lane', metric: 'requests', periodMs: PER_MS, amount: 10, remaining: 9, ...changes }]),
});

describe('what headers say', () => {
  test('of a lower amount is believed at once, and of the declared one again', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.fixed)]);
    const [one = 0, two = 0, three = 0] = await bench.beginSome();
    await bench.end(one, standing({ amount: 7, remaining: 6 }));
    expect(await bench.limit()).toMatchObject({ amount: 7, declared: 10 });
    await bench.end(two, standing({ amount: 700, remaining: 600 }));
    expect(await bench.limit()).toMatchObject({ amount: 10, declared: 10, lowered_reason: null });
    await bench.end(three, standing({ periodMs: 24 * 3_600_000, amount: 2, remaining: 1 }));
    expect(await bench.limit()).toMatchObject({ amount: 10 });
  });

  test('of less that is left is counted as the use of somebody else, until the window ends', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.fixed)]);
    const [one = 0, ...others] = await bench.beginSome();
    await bench.end(one, standing({ remaining: 1 }));
    expect(await bench.limit()).toMatchObject({ used: 9 });
    for (const grantId of others) await bench.end(grantId, standing({ remaining: 1 }));
    expect(await bench.limit()).toMatchObject({ used: 9 });
    expect(await bench.beginSome()).toHaveLength(1);
    await bench.moveTo(START_MS + PER_MS);
    expect((await bench.beginSome()).length).toBeGreaterThan(1);
  });

  test('of more that is left changes nothing', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.fixed)]);
    const [one = 0] = await bench.beginSome();
    await bench.end(one, standing({ remaining: 10 }));
    expect(await bench.limit()).toMatchObject({ amount: 10, used: 4 });
  });

  test('leaves to others what is reserved for them', async (context) => {
    const bench = await openBench(context, [requests(10, PERIODS.fixed, 5)]);
    const [one = 0] = await bench.beginSome();
    await bench.end(one, standing({ amount: 15, remaining: 7 }));
    expect(await bench.limit()).toMatchObject({ amount: 10, used: 4 });
    const [two = 0] = await bench.beginSome();
    await bench.end(two, standing({ amount: 15, remaining: 3 }));
    expect(await bench.limit()).toMatchObject({ amount: 10, used: 7 });
  });

  test('of a bucket allows for what it has refilled while the call was under way', async (context) => {
    const bench = await openBench(context, [requests(60, PERIODS.refill)]);
    const [one = 0, two = 0] = await bench.beginSome();
    await bench.moveTo(START_MS + 10_000);
    await bench.end(one, standing({ amount: 60, remaining: 50 }));
    expect(await bench.limit()).toMatchObject({ debt: 0 });
    await bench.end(two, standing({ amount: 60, remaining: 40 }));
    const { used, debt } = await bench.limit();
    expect(used + debt).toBeGreaterThanOrEqual(9);
    expect(used + debt).toBeLessThanOrEqual(11);
  });
});

describe('what answers show of a lane', () => {
  test('is how many tokens its tokenizer makes of those that were counted: reservations follow', async (context) => {
    const bench = await openBench(context, [
      { metric: 'tokens', amount: 1_000_000, window: PERIODS.rolling },
    ]);
    await bench.work.pool.query('UPDATE request SET prompt_tokens = 1000');
    const reserved = async (): Promise<number> => {
      const [grantId = 0] = await bench.beginSome(1);
      const { rows } = await bench.work.pool.query<{ prompt_tokens: number }>(
        'SELECT prompt_tokens FROM grants WHERE id = $1',
        [grantId],
      );
      await bench.end(grantId, { usage: { promptTokens: 1_600, completionTokens: 20 } });
      return rows[0]?.prompt_tokens ?? 0;
    };
    expect(await reserved()).toBe(1_250);
    expect(await reserved()).toBe(2_020);
    for (let count = 0; count < 12; count += 1) await reserved();
    const settled = await reserved();
    expect(settled).toBeGreaterThanOrEqual(1_600);
    expect(settled).toBeLessThanOrEqual(1_660);
  });

  test('never keeps a request from a lane that it fits by its count', async (context) => {
    const bench = await openBench(context, [{ metric: 'tokens', amount: 1_100, window: PERIODS.rolling }]);
    await bench.work.pool.query('UPDATE request SET prompt_tokens = 1000, output_tokens = 50');
    const grants = await bench.beginSome();
    expect(grants).toHaveLength(1);
    expect(await bench.limit()).toMatchObject({ used: 1_100 });
  });

  test('is how long its calls take: after eight, patience is four deviations above the mean', async (context) => {
    const bench = await openBench(context, []);
    const patience = async (): Promise<number | null> => {
      const { slices } = await bench.work.grant(LANE, 1);
      const [call] = await bench.work.begin(slices.flat());
      if (call === undefined) throw new Error('Expected a call, got none.');
      await bench.end(call.grantId, { durationMs: 9_000 });
      return call.patienceMs;
    };
    for (let count = 0; count < 8; count += 1) expect(await patience()).toBeNull();
    const patient = await patience();
    expect(patient).toBeGreaterThan(18_000);
    for (let count = 0; count < 16; count += 1) await patience();
    expect(await patience()).toBeLessThan(patient ?? 0);
  });
});
