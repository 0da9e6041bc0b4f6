/** What the policy of a batch does to its grants on a real record. */
import { describe, expect, test, type TestContext } from 'vitest';
import type { Policy } from '../../../src/core/policy.ts';
import { aLane, aProvider, routingFor } from '../../app/fakes.ts';
import { documents, inputOf, submissionTo } from '../../contracts/batches-under-test.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { BROKEN, openRecordAtWork, REFUSED } from './a-record-at-work.ts';

const ANY: Policy = { forbidsTraining: false, regions: [], only: [], except: [] };
const HONEST = 'honest/small';
const CURIOUS = 'curious/small';
const POOLS = [
  { name: 'both', laneIds: [CURIOUS, HONEST] },
  { name: 'curious', laneIds: [CURIOUS] },
];

const routing = (curiousTrains: boolean, honestTrains = false) =>
  routingFor(
    [
      aProvider([aLane(HONEST)], { trainsOnData: honestTrains }),
      aProvider([aLane(CURIOUS)], { trainsOnData: curiousTrains }),
    ],
    POOLS,
  );

const open = async (context: TestContext) => {
  const work = await openRecordAtWork(await openTestRecord(context), routing(true));
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  const submit = async (policy: Policy, ...ids: readonly string[]) =>
    (await work.submit(ids, { pool: 'both', policy })).id;
  const granted = async (laneId: string): Promise<number> => (await work.grant(laneId)).slices.flat().length;
  const poolLanes = async (): Promise<unknown> =>
    (await work.pool.query('SELECT lane_ids FROM pool ORDER BY name')).rows.map(({ lane_ids }) => lane_ids);
  return { work, submit, granted, poolLanes };
};

describe('a lane that does not qualify', () => {
  test('is granted nothing, while another batch in the same pool has it', async (context) => {
    const { work, submit, granted } = await open(context);
    await submit({ ...ANY, forbidsTraining: true }, 'a', 'b');
    expect(await granted(CURIOUS)).toBe(0);
    await work.submit(['c'], { pool: 'both' });
    expect(await granted(CURIOUS)).toBe(1);
    expect(await granted(HONEST)).toBe(2);
  });

  test('is no way out for a line that fails on the lanes that do', async (context) => {
    const { work, submit, granted } = await open(context);
    const id = await submit({ ...ANY, except: ['curious'] }, 'a', 'b');
    await work.call(id, HONEST, 'a', BROKEN);
    expect(await granted(CURIOUS)).toBe(0);
    await work.call(id, HONEST, 'b', REFUSED);
    expect(await granted(CURIOUS)).toBe(0);
    await work.batches.retry('docs', { pool: null });
    expect(await granted(CURIOUS)).toBe(0);
    expect(await work.batch(id)).toMatchObject({ policy: { ...ANY, except: ['curious'] } });
  });

  test('is refused for a retry, and comes in by no other pool', async (context) => {
    const { work, submit, granted } = await open(context);
    const id = await submit({ ...ANY, only: [HONEST] }, 'a');
    await work.call(id, HONEST, 'a', REFUSED);
    await expect(work.batches.retry('docs', { pool: 'curious' })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('`--only honest/small`'),
    });
    expect(await work.store.retry(id, 'curious', work.routing)).toBe(1);
    expect(await granted(CURIOUS)).toBe(0);
  });

  test('leaves a batch as soon as a process with newer facts looks at it, and returns when they allow it', async (context) => {
    const { work, submit, poolLanes } = await open(context);
    const id = await submit({ ...ANY, forbidsTraining: true }, 'a');
    expect(await poolLanes()).toEqual([[HONEST]]);
    await work.store.addLanes(id, routing(false, true));
    expect(await poolLanes()).toEqual([[CURIOUS]]);
    await work.store.addLanes(id, routing(false));
    expect(await poolLanes()).toEqual([[CURIOUS, HONEST]]);
    await work.store.adoptConfiguration(id, routing(true));
    expect(await poolLanes()).toEqual([[HONEST]]);
  });

  test('stays away when lanes are added by a process that does not know those at work', async (context) => {
    const { work, submit, poolLanes } = await open(context);
    const id = await submit({ ...ANY, except: ['curious'] }, 'a');
    const stranger = routingFor(
      [aProvider([aLane(CURIOUS)]), aProvider([aLane('later/small')])],
      [{ name: 'both', laneIds: [CURIOUS, 'later/small'] }],
    );
    await work.store.addLanes(id, stranger);
    expect(await poolLanes()).toEqual([[HONEST, 'later/small']]);
  });
});

describe('the book of notices', () => {
  test('keeps whom it told of for all batches and processes', async (context) => {
    const { work } = await open(context);
    const submit = async (id: string) =>
      await work.batches.submit(submissionTo('both'), inputOf(documents(id)), () => {}, context.signal);
    const { notices } = await submit('a');
    expect(notices).toEqual([expect.stringContaining('--except curious')]);
    expect((await submit('b')).notices).toEqual(notices);
    await work.batches.markTold(notices);
    await work.batches.markTold(notices);
    expect((await submit('c')).notices).toEqual([]);
    const { rows } = await work.pool.query('SELECT provider_id, told_at_ms FROM notice_told');
    expect(rows).toEqual([{ provider_id: 'curious', told_at_ms: expect.any(Number) }]);
  });
});
