/** Slices: grants that one job runs one after the other in one call slot. */
import fc from 'fast-check';
import { describe, expect, test, type TestContext } from 'vitest';
import { syncConfiguration } from '../../../src/adapters/postgres/sync-configuration.ts';
import type { Granted, Slice } from '../../../src/app/ports.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { ANSWER, openRecordAtWork, type RecordAtWork } from './a-record-at-work.ts';

const LANE = 'alpha/small';
/** The most grants in one slice. */
const LONGEST = 16;

interface Slots {
  readonly lane: number;
  readonly provider?: number | null;
}

/** A worker with so many slots on the lane, whose calls take so long as far as the record knows. */
const open = async (context: TestContext, slots: Slots, meanCallMs: number): Promise<RecordAtWork> => {
  const provider = aProvider([aLane(LANE, { concurrency: slots.lane })], {
    concurrency: slots.provider ?? null,
  });
  const routing = routingFor([provider], [{ name: 'alone', laneIds: [LANE] }]);
  const work = await openRecordAtWork(await openTestRecord(context), routing);
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  await work.pool.query('INSERT INTO lane_total (lane_id, mean_call_ms) VALUES ($1, $2)', [LANE, meanCallMs]);
  return work;
};

const idsUpTo = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `line-${index}`);

const lengthsOf = ({ slices }: Granted): readonly number[] => slices.map((slice) => slice.length);

/** What is in use of the limits of calls at once. */
const slotsInUse = async ({ pool }: RecordAtWork): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ used: number }>(
    "SELECT used FROM quota_limit WHERE metric = 'calls' ORDER BY scope",
  );
  return rows.map(({ used }) => used);
};

/** Runs the grants of a slice, all but those that may not begin any more. */
const runAll = async (work: RecordAtWork, slice: Slice): Promise<void> => {
  for (const grantId of slice) await work.runGrant(grantId, ANSWER);
};

describe('slices', () => {
  test('are of one grant each where there are slots enough', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(idsUpTo(4));
    expect(lengthsOf(await work.grant(LANE))).toEqual([1, 1, 1, 1]);
  });

  test('share the grants out evenly where there are more than slots', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(idsUpTo(9));
    const granted = await work.grant(LANE);
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
    await work.submit(idsUpTo(40));
    expect(lengthsOf(await work.grant(LANE))).toEqual([longest, longest]);
    expect(await work.grant(LANE)).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
  });

  test('are as few as the provider has slots left', async (context) => {
    const work = await open(context, { lane: 4, provider: 2 }, 10);
    await work.submit(idsUpTo(30));
    expect(lengthsOf(await work.grant(LANE))).toEqual([15, 15]);
    expect(await slotsInUse(work)).toEqual([2, 2]);
  });

  test('hold their slot until their last call is over', async (context) => {
    const work = await open(context, { lane: 1 }, 10);
    await work.submit(idsUpTo(20));
    const [slice = []] = (await work.grant(LANE)).slices;
    expect(slice).toHaveLength(LONGEST);
    await work.begin(slice);
    await runAll(work, slice.slice(0, -1));
    expect(await work.grant(LANE)).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
    await runAll(work, slice.slice(-1));
    expect(await slotsInUse(work)).toEqual([0]);
    expect((await work.grant(LANE)).slices).toHaveLength(1);
  });

  test('are of one grant while a lane finds out whether it works again', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(idsUpTo(30));
    await work.pool.query('INSERT INTO health (scope, openings, breaker_until_ms) VALUES ($1, 1, 1)', [LANE]);
    expect(lengthsOf(await work.grant(LANE))).toEqual([1]);
  });

  test('come back as the same slices when their jobs are missing', async (context) => {
    const work = await open(context, { lane: 3 }, 10);
    await work.submit(idsUpTo(8));
    const { slices } = await work.grant(LANE);
    expect((await work.ledger.sweep()).missingJobs).toEqual([]);
    await work.pool.query("UPDATE grants SET queued_at = queued_at - interval '3 s'");
    expect((await work.ledger.sweep()).missingJobs).toEqual(slices.map((slice) => ({ laneId: LANE, slice })));
    expect((await work.ledger.sweep()).missingJobs).toEqual([]);
  });

  test('count once each against a limit of calls at once that is new', async (context) => {
    const work = await open(context, { lane: 4 }, 10);
    await work.submit(idsUpTo(12));
    expect(lengthsOf(await work.grant(LANE))).toEqual([3, 3, 3, 3]);
    const [provider] = work.routing.providers;
    if (provider === undefined) throw new Error('Expected a provider, got none.');
    const changed = routingFor([{ ...provider, concurrency: 5 }]);
    await syncConfiguration(work.pool, changed, new Map());
    expect(await slotsInUse(work)).toEqual([4, 4]);
  });

  test('come back without those that have begun', async (context) => {
    const work = await open(context, { lane: 3 }, 10);
    await work.submit(idsUpTo(9));
    const [first = [], ...rest] = (await work.grant(LANE)).slices;
    await work.begin(first);
    await work.pool.query("UPDATE grants SET queued_at = queued_at - interval '3 s'");
    expect((await work.ledger.sweep()).missingJobs.map(({ slice }) => slice)).toEqual(rest);
  });

  test('keep their slot when their last grant may not begin any more, as calls of another batch go on in it', async (context) => {
    const work = await open(context, { lane: 1 }, 10);
    await work.submit(['a', 'b']);
    await work.submit(['c'], { name: 'other' });
    const [slice = []] = (await work.grant(LANE)).slices;
    expect(slice).toHaveLength(3);
    const { rows } = await work.pool.query<{ name: string }>(
      'SELECT b.name FROM grants g JOIN request r ON r.id = g.request_id JOIN batch b ON b.id = r.batch_id WHERE g.id = $1',
      [slice.at(-1)],
    );
    await work.batches.pause(rows[0]?.name ?? '');
    const begun = await work.begin(slice);
    expect(begun.length).toBeGreaterThan(0);
    await work.submit(['d'], { name: 'third' });
    expect(await work.grant(LANE)).toMatchObject({ slices: [], stoppedBy: 'no-slot' });
  });

  test('never take more slots than are free, whatever is granted, begun and finished', async (context) => {
    const work = await open(context, { lane: 5, provider: 4 }, 20);
    await work.submit(idsUpTo(600));
    const underWay: Slice[] = [];
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
      expect(Math.max(0, ...underWay.map((slice) => slice.length))).toBeLessThanOrEqual(LONGEST);
      expect(await slotsInUse(work)).toEqual([underWay.length, underWay.length]);
    }
  });
});

/** Tells the record that all calls of a slice were answered, in one go. */
const finishAll = async (work: RecordAtWork, slice: Slice): Promise<void> => {
  await work.begin(slice);
  await work.ledger.finish(
    slice.map((grantId) => ({
      grantId,
      outcome: 'succeeded',
      reason: null,
      usage: null,
      durationMs: 20,
      settlement: 'estimate',
      countsAsTry: true,
      next: { kind: 'succeeded', line: '{}' },
      excluded: [],
      avoided: [],
      droppedParameters: [],
      outputCapTokens: null,
    })),
  );
};
