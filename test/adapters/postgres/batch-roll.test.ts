/** What the board asks the record: all batches by group, and the stories behind grants. */
import { describe, expect, test, type TestContext } from 'vitest';
import { postgresBatchRoll } from '../../../src/adapters/postgres/batch-roll.ts';
import { postgresGrantStories } from '../../../src/adapters/postgres/grant-stories.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { ANSWER, openRecordAtWork, type RecordAtWork, REFUSED } from './a-record-at-work.ts';

const LANE = 'alpha/small';

const open = async (context: TestContext): Promise<RecordAtWork> => {
  const work = await openRecordAtWork(await openTestRecord(context));
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  return work;
};

describe('the roll of all batches', () => {
  test('counts each batch in one group, and has pages of each, latest first', async (context) => {
    const work = await open(context);
    for (const name of ['one', 'two', 'three', 'held', 'over', 'gone']) await work.submit([name], { name });
    await work.batches.pause('held');
    const over = (await work.batches.status('over')).progress.batch.id;
    await work.call(over, LANE, 'over', ANSWER);
    await work.batches.cancel('gone');
    await work.pool.query("UPDATE batch SET state = 'cancelling' WHERE name = 'one'");
    const roll = postgresBatchRoll(work.pool);
    expect(await roll.counts()).toEqual({ running: 2, paused: 1, completed: 1, cancelled: 2 });
    const names = async (group: 'running' | 'paused' | 'completed' | 'cancelled', skip = 0, atMost = 10) =>
      (await roll.page(group, { skip, atMost })).map(({ name }) => name);
    expect(await names('running')).toEqual(['three', 'two']);
    expect(await names('running', 1)).toEqual(['two']);
    expect(await names('running', 0, 1)).toEqual(['three']);
    expect(await names('running', 2)).toEqual([]);
    expect(await names('paused')).toEqual(['held']);
    expect(await names('completed')).toEqual(['over']);
    expect(await names('cancelled')).toEqual(['gone', 'one']);
  });

  test('has nothing to count in a new record', async (context) => {
    const { pool } = await openTestRecord(context);
    expect(await postgresBatchRoll(pool).counts()).toEqual({
      running: 0,
      paused: 0,
      completed: 0,
      cancelled: 0,
    });
  });
});

describe('the stories behind grants', () => {
  test('tell the line, and what became of it', async (context) => {
    const work = await open(context);
    const { id } = await work.submit(['a', 'b']);
    const refused = await work.grantLine(id, LANE, 'b');
    await work.runGrant(refused, REFUSED);
    const granted = await work.grantLine(id, LANE, 'a');
    const stories = postgresGrantStories(work.pool);
    const found = await stories.storiesOf([granted, refused, 999]);
    expect(found.toSorted((one, other) => one.grantId - other.grantId)).toMatchObject([
      {
        grantId: refused,
        laneId: LANE,
        batchName: 'docs',
        customId: 'b',
        lineNumber: 2,
        state: 'closed',
        outcome: 'bad-request',
        reason: expect.stringContaining('Invalid value'),
        begunAtMs: expect.any(Number),
        closedAtMs: expect.any(Number),
      },
      { grantId: granted, customId: 'a', state: 'granted', outcome: null, begunAtMs: null, closedAtMs: null },
    ]);
    expect(found.find(({ grantId }) => grantId === granted)?.line).toContain('What a is about.');
  });

  test('are missing once their batch was removed', async (context) => {
    const work = await open(context);
    const { id } = await work.submit(['a']);
    const grantId = await work.grantLine(id, LANE, 'a');
    await work.store.remove(id);
    const stories = postgresGrantStories(work.pool);
    expect([await stories.storiesOf([grantId]), await stories.storiesOf([])]).toEqual([[], []]);
  });
});
