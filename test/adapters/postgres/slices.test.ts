/** Slices: grants that one job runs one after the other in one call slot. */
import fc from 'fast-check';
import { describe, expect, test, type TestContext } from 'vitest';
import { inTransaction } from '../../../src/adapters/postgres/connect.ts';
import { syncConfiguration } from '../../../src/adapters/postgres/sync-configuration.ts';
import type { Granted, Slice } from '../../../src/app/ledger.ts';
import type { Routing } from '../../../src/app/ports.ts';
import type { Limit, Provider } from '../../../src/core/model.ts';
import { aLane, aProvider, NOW_MS, routingFor } from '../../app/fakes.ts';
import { stopClockAt } from '../../contracts/quota-record.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { ANSWER, openRecordAtWork, type RecordAtWork } from './a-record-at-work.ts';
import { whileHolding } from './meeting.ts';

const LANE = 'alpha/small';
/** The most grants in one slice. */
const LONGEST = 16;
const DAY_S = 86_400;

interface Slots {
  readonly lane: number;
  readonly provider?: number | null;
}

const routingTo = (...providers: readonly Provider[]): Routing =>
  routingFor(providers, [{ name: 'alone', laneIds: [LANE] }]);

/** A worker with so many slots on the lane, whose calls take so long as far as the record knows. */
const open = async (context: TestContext, slots: Slots, meanCallMs: number): Promise<RecordAtWork> => {
  const lane = aLane(LANE, { concurrency: slots.lane });
  return await openOn(
    context,
    routingTo(aProvider([lane], { concurrency: slots.provider ?? null })),
    meanCallMs,
  );
};

const openOn = async (
  context: TestContext,
  routing: Routing,
  meanCallMs: number | null,
): Promise<RecordAtWork> => {
  const work = await openRecordAtWork(await openTestRecord(context), routing);
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  await tellCallMs(work, meanCallMs);
  return work;
};

const tellCallMs = async ({ pool }: RecordAtWork, meanCallMs: number | null): Promise<void> => {
  await pool.query('INSERT INTO lane_total (lane_id, mean_call_ms) VALUES ($1, $2)', [LANE, meanCallMs]);
};

const idsUpTo = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `line-${index}`);

/** So many lines that each of these slots may take slices of this length: the share of a slot is four of them. */
const linesFor = (slots: number, longest: number = LONGEST): readonly string[] =>
  idsUpTo(4 * slots * longest);

const lengthsOf = ({ slices }: Granted): readonly number[] => slices.map((slice) => slice.length);

/** What is in use of the limits of calls at once. */
const slotsInUse = async ({ pool }: RecordAtWork): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ used: number }>(
    "SELECT used FROM quota_limit WHERE metric = 'calls' ORDER BY scope",
  );
  return rows.map(({ used }) => used);
};

/** Whose lines the grants are for. */
const batchesOf = async ({ pool }: RecordAtWork, slice: Slice): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT b.name FROM grants g JOIN request r ON r.id = g.request_id JOIN batch b ON b.id = r.batch_id
     WHERE g.id = ANY ($1) ORDER BY g.id`,
    [slice],
  );
  return rows.map(({ name }) => name);
};

const release = async ({ pool }: RecordAtWork, grantIds: readonly number[]): Promise<void> => {
  await pool.query('SELECT release_grants($1, $2)', [grantIds, 'a test']);
};

/** What is granted now; all of it goes back at once. */
const grantAndGiveBack = async (work: RecordAtWork): Promise<Granted> => {
  const granted = await work.grant(LANE);
  await release(work, granted.slices.flat());
  return granted;
};

/** Runs the grants of a slice, all but those that may not begin any more. */
const runAll = async (work: RecordAtWork, slice: Slice): Promise<void> => {
  for (const grantId of slice) await work.runGrant(grantId, ANSWER);
};

describe('slices', () => {
  test('are of one grant each where there are slots enough', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(linesFor(4));
    expect(lengthsOf(await work.grant(LANE, 4))).toEqual([1, 1, 1, 1]);
  });

  test('share the grants out evenly where there are more than slots', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(linesFor(4));
    const granted = await work.grant(LANE, 9);
    expect(lengthsOf(granted)).toEqual([3, 3, 3]);
    expect(granted.slices.flat()).toEqual(granted.slices.flat().toSorted((a, b) => a - b));
    expect(await slotsInUse(work)).toEqual([3]);
  });

  test.for([
    [10, LONGEST],
    [0, LONGEST],
    [100, 10],
    [250, 4],
    [251, 1],
  ] as const)('of calls of %d ms have up to %d grants', async ([meanCallMs, longest], context) => {
    const work = await open(context, { lane: 2 }, meanCallMs);
    await work.submit(linesFor(2));
    expect(lengthsOf(await work.grant(LANE))).toEqual([longest, longest]);
    expect(await work.grant(LANE)).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
  });

  test('that fill every slot say so, since nobody need ask again until one is free', async (context) => {
    const work = await open(context, { lane: 2 }, 1_000);
    await work.submit(linesFor(2));
    expect(await work.grant(LANE, 1)).toMatchObject({ stoppedBy: '' });
    expect(await work.grant(LANE)).toMatchObject({
      slices: [expect.anything()],
      stoppedBy: 'no-slot',
      wakeAtMs: null,
    });
  });

  test('are refused to a busy lane without waiting for whoever has its limits', async (context) => {
    const work = await open(context, { lane: 1 }, 1_000);
    await work.submit(linesFor(1));
    await work.grant(LANE);
    await inTransaction(work.pool, async (client) => {
      await client.query('SELECT FROM quota_limit FOR UPDATE');
      expect(await work.grant(LANE)).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
    });
  });

  test('are as few as the provider has slots left', async (context) => {
    const work = await open(context, { lane: 4, provider: 2 }, 10);
    await work.submit(linesFor(4));
    expect(lengthsOf(await work.grant(LANE, 30))).toEqual([15, 15]);
    expect(await slotsInUse(work)).toEqual([2, 2]);
  });

  test('hold their slot until their last call is over', async (context) => {
    const work = await open(context, { lane: 1 }, 10);
    await work.submit(linesFor(1));
    const [slice = []] = (await work.grant(LANE)).slices;
    expect(slice).toHaveLength(LONGEST);
    await work.begin(slice);
    await runAll(work, slice.slice(0, -1));
    expect(await work.grant(LANE)).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
    expect(await slotsInUse(work)).toEqual([1]);
    await runAll(work, slice.slice(-1));
    expect(await slotsInUse(work)).toEqual([0]);
    expect((await work.grant(LANE)).slices).toHaveLength(1);
  });

  test('are of one grant while a lane finds out whether it works again', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(linesFor(4));
    await work.pool.query('INSERT INTO health (scope, openings, breaker_until_ms) VALUES ($1, 1, 1)', [LANE]);
    expect(lengthsOf(await work.grant(LANE))).toEqual([1]);
  });

  test('come back as the same slices when their jobs are missing', async (context) => {
    const work = await open(context, { lane: 3 }, 10);
    await work.submit(linesFor(3));
    const { slices } = await work.grant(LANE, 8);
    expect(slices.map((slice) => slice.length)).toEqual([3, 3, 2]);
    expect((await work.ledger.sweep()).missingJobs).toEqual([]);
    await work.pool.query("UPDATE grants SET queued_at = queued_at - interval '3 s'");
    expect((await work.ledger.sweep()).missingJobs).toEqual(slices.map((slice) => ({ laneId: LANE, slice })));
    expect((await work.ledger.sweep()).missingJobs).toEqual([]);
  });

  test('count once each against a limit of calls at once that is new', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(linesFor(4));
    expect(lengthsOf(await work.grant(LANE, 12))).toEqual([3, 3, 3, 3]);
    const [provider] = work.routing.providers;
    if (provider === undefined) throw new Error('Expected a provider, got none.');
    const changed = routingFor([{ ...provider, concurrency: 5 }]);
    await syncConfiguration(work.pool, changed, new Map());
    expect(await slotsInUse(work)).toEqual([4, 4]);
  });

  test('come back without those that have begun', async (context) => {
    const work = await open(context, { lane: 3 }, 10);
    await work.submit(linesFor(3));
    const [first = [], ...rest] = (await work.grant(LANE, 9)).slices;
    expect([first, ...rest].map((slice) => slice.length)).toEqual([3, 3, 3]);
    await work.begin(first);
    await work.pool.query("UPDATE grants SET queued_at = queued_at - interval '3 s'");
    expect((await work.ledger.sweep()).missingJobs.map(({ slice }) => slice)).toEqual(rest);
  });

  test('are of one batch each, so that whatever happens to it happens to all of them', async (context) => {
    const work = await open(context, { lane: 2 }, 10);
    await work.submit(['a', 'b', 'c']);
    await work.submit(linesFor(2), { name: 'other' });
    const first = (await work.grant(LANE, 9)).slices;
    const second = (await work.grant(LANE, 9)).slices;
    const batches = await Promise.all([...first, ...second].map((slice) => batchesOf(work, slice)));
    expect(batches.length).toBeGreaterThan(1);
    for (const names of batches) expect(new Set(names).size).toBe(1);
  });

  test('free their slot and no other when they go back', async (context) => {
    const work = await open(context, { lane: 3 }, 10);
    await work.submit(linesFor(3));
    const { slices } = await work.grant(LANE, 9);
    expect(slices.map((slice) => slice.length)).toEqual([3, 3, 3]);
    for (const [index, slice] of slices.entries()) {
      expect(await slotsInUse(work)).toEqual([3 - index]);
      await release(work, slice);
    }
    expect(await slotsInUse(work)).toEqual([0]);
  });

  test('go back without a deadlock while a call of theirs ends', async (context) => {
    const work = await open(context, { lane: 1 }, 10);
    await work.submit(linesFor(1));
    const [[first = 0, last = 0] = []] = (await work.grant(LANE, 2)).slices;
    await work.begin([first]);
    const meeting = whileHolding(work.pool, "SELECT FROM quota_limit WHERE metric = 'calls' FOR UPDATE", [
      () => work.pool.query('SELECT pause_lane($1)', [LANE]),
      () => tellAnswered(work, [first]),
    ]);
    await expect(meeting).resolves.toBeUndefined();
    expect(await slotsInUse(work)).toEqual([0]);
    expect(await statesOf(work, [first, last])).toEqual(['closed', 'closed']);
  });

  test('give a call back that begins again after the window it was counted in, since nothing counts it any more', async (context) => {
    const limit = { metric: 'requests', amount: 50, window: { kind: 'rolling', perMs: 1_000 } } as const;
    const lane = aLane(LANE, { concurrency: 1, limits: [limit] });
    const work = await openOn(context, routingTo(aProvider([lane])), 10);
    await work.submit(linesFor(1));
    await stopClockAt(work.pool, NOW_MS);
    const [slice = []] = (await work.grant(LANE, 2)).slices;
    expect(slice).toHaveLength(2);
    await work.begin(slice);
    await stopClockAt(work.pool, NOW_MS + 5_000);
    await tellAnswered(work, slice.slice(0, 1));
    expect(await work.begin(slice.slice(1))).toEqual([]);
    expect(await statesOf(work, slice)).toEqual(['closed', 'closed']);
    const { rows } = await work.pool.query(
      `SELECT (SELECT used FROM quota_limit WHERE metric = 'requests') AS used, r.state
       FROM request r JOIN grants g ON g.request_id = r.id WHERE g.id = $1`,
      [slice[1]],
    );
    expect(rows).toEqual([{ used: 0, state: 'pending' }]);
  });

  test('never take more slots than are free, whatever is granted, begun and finished', async (context) => {
    const work = await open(context, { lane: 5, provider: 4 }, 20);
    await work.submit(idsUpTo(600));
    const underWay: Slice[] = [];
    let longest = 0;
    const step = fc.oneof(
      fc.record({ kind: fc.constant('grant' as const), atMost: fc.integer({ min: 1, max: 64 }) }),
      fc.record({ kind: fc.constant('finish' as const), pick: fc.nat(9) }),
    );
    for (const next of fc.sample(step, { numRuns: 60, seed: 7_316 })) {
      if (next.kind === 'finish') {
        const [slice] = underWay.splice(next.pick % Math.max(1, underWay.length), 1);
        if (slice !== undefined) await finishAll(work, slice);
      } else {
        underWay.push(...(await work.grant(LANE, next.atMost)).slices);
      }
      expect(underWay.length).toBeLessThanOrEqual(4);
      longest = Math.max(longest, ...underWay.map((slice) => slice.length));
      expect(await slotsInUse(work)).toEqual([underWay.length, underWay.length]);
    }
    expect(longest).toBe(LONGEST);
  });
});

describe('slices are made', () => {
  test('only once the record knows how long calls take', async (context) => {
    const work = await openOn(context, routingTo(aProvider([aLane(LANE, { concurrency: 1 })])), null);
    await work.submit(linesFor(1));
    expect(lengthsOf(await grantAndGiveBack(work))).toEqual([1]);
    await work.pool.query('DELETE FROM lane_total');
    expect(lengthsOf(await grantAndGiveBack(work))).toEqual([1]);
    await tellCallMs(work, 10);
    expect(lengthsOf(await grantAndGiveBack(work))).toEqual([LONGEST]);
  });

  test.for([
    [7, 1],
    [15, 1],
    [16, 2],
    [127, 15],
    [128, LONGEST],
    [200, LONGEST],
  ] as const)(
    'of a quarter of what is left for each slot: with two slots and %d lines of %d',
    async ([lines, longest], context) => {
      const work = await open(context, { lane: 2 }, 10);
      await work.submit(idsUpTo(lines));
      expect(lengthsOf(await work.grant(LANE))).toEqual([longest, longest]);
    },
  );

  test('by what is left of all batches in progress, granted or not, and not of those that end', async (context) => {
    const work = await open(context, { lane: 1 }, 10);
    await work.submit(linesFor(1, 2));
    await work.submit(linesFor(1, 3), { name: 'other' });
    const [slice = []] = (await work.grant(LANE)).slices;
    expect(slice).toHaveLength(5);
    await finishAll(work, slice);
    expect(lengthsOf(await grantAndGiveBack(work))).toEqual([3]);
    await work.batches.cancel('other');
    expect(lengthsOf(await grantAndGiveBack(work))).toEqual([1]);
  });

  test('by the slots of all workers on all lanes, since any of them may take what is left', async (context) => {
    const here = aProvider([aLane(LANE, { concurrency: 2 })]);
    const elsewhere = aProvider([aLane('beta/small', { concurrency: 6 })]);
    const work = await openOn(context, routingTo(here, elsewhere), 10);
    await work.submit(linesFor(8, 3));
    expect(lengthsOf(await work.grant(LANE))).toEqual([3, 3]);
  });

  test.for([
    { metric: 'requests', amount: 50, window: { kind: 'rolling', perMs: 1_000 } },
    { metric: 'requests', amount: 3_000, window: { kind: 'refill', perMs: 60_000 } },
    { metric: 'tokens', amount: 50_000, window: { kind: 'fixed', perMs: 1_000, anchorAtMs: 0 } },
    { metric: 'inputTokens', amount: 3_000_000, window: { kind: 'rolling', perMs: 60_000 } },
    { metric: 'outputTokens', amount: 100_000, window: { kind: 'refill', perMs: 2_000 } },
    { metric: 'requests', amount: 50 * DAY_S, window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' } },
  ] as const satisfies readonly Limit[])(
    'only where no limit of lane or provider keeps calls below 50 a second: $amount $metric ($window.kind)',
    async (limit, context) => {
      const lane = aLane(LANE, { concurrency: 1 });
      const less = { ...limit, amount: limit.amount - 1 };
      const work = await openOn(context, routingTo(aProvider([lane])), 10);
      await work.submit(linesFor(1));
      const longestUnder = async (
        ofProvider: readonly Limit[],
        ofLane: readonly Limit[],
      ): Promise<number> => {
        const provider = aProvider([{ ...lane, limits: ofLane }], { limits: ofProvider });
        await syncConfiguration(work.pool, routingTo(provider), new Map());
        return Math.max(...lengthsOf(await grantAndGiveBack(work)));
      };
      expect(await longestUnder([], [limit])).toBeGreaterThan(1);
      expect(await longestUnder([limit], [])).toBeGreaterThan(1);
      expect(await longestUnder([], [less])).toBe(1);
      // A limit that has left the configuration bounds nothing.
      expect(await longestUnder([], [])).toBe(LONGEST);
      expect(await longestUnder([less], [])).toBe(1);
    },
  );
});

const statesOf = async ({ pool }: RecordAtWork, grantIds: readonly number[]): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ state: string }>(
    'SELECT state FROM grants WHERE id = ANY ($1) ORDER BY id',
    [grantIds],
  );
  return rows.map(({ state }) => state);
};

/** Tells the record that all calls of a slice were answered, in one go. */
const tellAnswered = async (work: RecordAtWork, slice: Slice): Promise<void> =>
  await work.ledger.finish(
    slice.map((grantId) => ({
      grantId,
      outcome: 'succeeded',
      reason: null,
      usage: null,
      sentAtMs: null,
      durationMs: 20,
      settlement: 'estimate',
      countsAsTry: true,
      next: { kind: 'succeeded', line: '{}' },
      excluded: [],
      avoided: [],
      droppedParameters: [],
      outputCapTokens: null,
      told: null,
    })),
  );

const finishAll = async (work: RecordAtWork, slice: Slice): Promise<void> => {
  await work.begin(slice);
  await tellAnswered(work, slice);
};
