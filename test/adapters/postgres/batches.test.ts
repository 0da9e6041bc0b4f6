/** What happens to batches on a real record while calls are under way: cancelled, paused, retried. */
import { describe, expect, test, type TestContext } from 'vitest';
import type { ProviderReply } from '../../../src/app/ports.ts';
import { ANSWER_BODY } from '../../app/a-slice-to-run.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { takeInSizes } from './a-batch-with-a-budget.ts';
import { ANSWER, BROKEN, openRecordAtWork, type RecordAtWork, REFUSED } from './a-record-at-work.ts';

const SMALL = 'alpha/small';
const LARGE = 'alpha/large';

/** An answer of twelve tokens and two that is of no use to anybody. */
const FILTERED: ProviderReply = {
  kind: 'http',
  status: 200,
  headers: {},
  bodyText: ANSWER_BODY.replace('"stop"', '"content_filter"'),
};

const open = async (context: TestContext): Promise<RecordAtWork> => {
  const work = await openRecordAtWork(await openTestRecord(context));
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  return work;
};

/** Starts the call of a line; its provider answers when it is told to. */
const startCall = async (work: RecordAtWork, batchId: number, customId: string) =>
  await work.startCall(await work.grantLine(batchId, SMALL, customId));

const submissionOf = async (work: RecordAtWork, ...ids: readonly string[]): Promise<number> =>
  (await work.submit(ids)).id;

describe('a batch', () => {
  test('is completed by itself when its last line is final, and no longer wants its lanes', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    await work.call(id, SMALL, 'b', ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'in_progress', completedAtMs: null });
    await work.call(id, SMALL, 'a', REFUSED);
    expect(await work.batch(id)).toMatchObject({
      state: 'completed',
      completedAtMs: expect.any(Number),
      succeeded: 1,
      failed: 1,
    });
    const { rows } = await work.pool.query('SELECT FROM pool');
    expect(rows).toEqual([]);
  });

  test('that is over has all of its results in the order of completion, whatever else is being written', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const other = await work.pool.connect();
    await other.query('BEGIN; SELECT pg_current_xact_id()');
    await work.call(id, SMALL, 'a', ANSWER);
    expect((await work.store.resultsSince(id, null, 10)).lines).toEqual([]);
    await work.call(id, SMALL, 'b', ANSWER);
    expect((await work.store.resultsSince(id, null, 10)).lines).toHaveLength(2);
    await other.query('ROLLBACK');
    other.release();
  });

  test('is taken in beside as many others as there are connections', async (context) => {
    const work = await open(context);
    const names = Array.from({ length: 12 }, (_, index) => `batch ${index}`);
    const sizes = [{ promptTokens: 10, mostPromptTokens: null, outputTokens: 10 }];
    const ids = await Promise.all(
      names.map((name) =>
        takeInSizes(work.store, work.routing, { name, maxCostNanoDollars: null, sizes, afterMs: 100 }),
      ),
    );
    expect(new Set(ids).size).toBe(names.length);
  });

  test('counts tokens of successes, and of them alone', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b', 'c');
    await work.call(id, SMALL, 'a', ANSWER);
    await work.call(id, SMALL, 'b', ANSWER);
    await work.call(id, SMALL, 'c', FILTERED);
    expect(await work.batch(id)).toMatchObject({ failed: 1, promptTokens: 24, completionTokens: 4 });
  });
});

describe('a batch that is cancelled while a call is under way', () => {
  test('keeps the answer of the call, and is over with it', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b', 'c');
    const answer = await startCall(work, id, 'a');
    expect(await work.batches.cancel('docs')).toMatchObject({ state: 'cancelling', cancelled: 2 });
    await answer(ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', succeeded: 1, cancelled: 2 });
    expect(await work.finalLine(id, 'a')).toMatchObject({ response: { status_code: 200 } });
  });

  test('keeps a refusal that is final as what it is', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const answer = await startCall(work, id, 'a');
    await work.batches.cancel('docs');
    await answer(REFUSED);
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', failed: 1, cancelled: 1 });
  });

  test('does not try again what failed for now: that line is cancelled, its attempt told', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const answer = await startCall(work, id, 'a');
    await work.batches.cancel('docs');
    await answer(BROKEN);
    expect(await work.batch(id)).toMatchObject({ state: 'cancelling', cancelled: 1 });
    await work.endLines();
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', cancelled: 2, failed: 0 });
    expect(await work.finalLine(id, 'a')).toMatchObject({
      error: { code: 'batch_cancelled' },
      nightshift: { lane: SMALL, attempts: [{ lane: SMALL, outcome: 'sick' }] },
    });
  });

  test('begins nothing that was granted, and gives its quota back', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const granted = (await work.grant(SMALL)).slices.flat();
    await work.batches.cancel('docs');
    expect(await work.begin(granted)).toEqual([]);
    expect((await work.grant(SMALL)).slices).toEqual([]);
    await work.endLines();
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', cancelled: 2 });
    const { rows } = await work.pool.query('SELECT FROM quota_use');
    expect(rows).toEqual([]);
  });

  test('is the same when it is cancelled again', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const answer = await startCall(work, id, 'a');
    await work.batches.cancel('docs');
    expect(await work.batches.cancel('docs')).toMatchObject({ state: 'cancelling', cancelled: 1 });
    await answer(ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', cancelled: 1, succeeded: 1 });
  });

  test('ends the lines of a process that died, where nobody else is at work', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const [grant = 0] = (await work.grant(SMALL, 1)).slices.flat();
    await work.begin([grant]);
    await work.pool.query('DELETE FROM process');
    await work.batches.cancel('docs');
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', cancelled: 2 });
  });

  test('ends a long backlog to its last line', async (context) => {
    const work = await open(context);
    const ids = Array.from({ length: 1_203 }, (_, index) => `line-${index}`);
    await work.submit(ids);
    expect(await work.batches.cancel('docs')).toMatchObject({ state: 'cancelled', cancelled: 1_203 });
  });
});

describe('a batch that is paused', () => {
  test('is granted nothing, begins nothing that was granted, and goes on when it is resumed', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    const granted = (await work.grant(SMALL, 1)).slices.flat();
    await work.batches.pause('docs');
    expect(await work.grant(SMALL)).toMatchObject({ slices: [], stoppedBy: 'no-work' });
    expect(await work.begin(granted)).toEqual([]);
    await work.batches.resume('docs');
    expect((await work.grant(SMALL)).slices).toHaveLength(2);
    expect(await work.batch(id)).toMatchObject({ isPaused: false, state: 'in_progress' });
  });

  test('ends the calls under way, and is over with the last of them', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a');
    const answer = await startCall(work, id, 'a');
    await work.batches.pause('docs');
    await answer(ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'completed', isPaused: false, succeeded: 1 });
  });

  test('leaves the lane to other batches', async (context) => {
    const work = await open(context);
    await submissionOf(work, 'a');
    await work.submit(['b'], { name: 'other' });
    await work.batches.pause('docs');
    const [begun] = await work.begin((await work.grant(SMALL)).slices.flat());
    expect(begun?.customId).toBe('b');
  });

  test('can be cancelled', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a');
    await work.batches.pause('docs');
    await work.batches.cancel('docs');
    expect(await work.batch(id)).toMatchObject({ state: 'cancelled', isPaused: false });
  });
});

describe('a batch that is retried', () => {
  test('does failed lines anew on every lane, with what was before in their provenance', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    await work.call(id, SMALL, 'a', ANSWER);
    await work.call(id, SMALL, 'b', REFUSED);
    expect(await work.batches.retry('docs', { pool: null })).toMatchObject({ lines: 1 });
    expect(await work.finalLine(id, 'b')).toBeUndefined();
    const grantId = await work.grantLine(id, SMALL, 'b');
    expect(await work.begin([grantId])).toMatchObject([
      { tries: 0, excluded: [], avoided: [], trail: [{ outcome: 'bad-request', isBeforeRetry: true }] },
    ]);
    await work.runGrant(grantId, ANSWER);
    expect(await work.finalLine(id, 'b')).toMatchObject({
      response: { status_code: 200 },
      nightshift: { attempts: [{ outcome: 'bad-request' }, { outcome: 'succeeded' }] },
    });
    expect(await work.batch(id)).toMatchObject({ state: 'completed', succeeded: 2, failed: 0 });
  });

  test('is not judged by attempts before the retry: as many are made again', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a');
    const callsUntilFailed = async (): Promise<number> => {
      for (let calls = 1; ; calls += 1) {
        await work.pool.query('UPDATE request SET due_at_ms = 1 WHERE due_at_ms IS NOT NULL');
        await work.ledger.sweep();
        await work.call(id, SMALL, 'a', BROKEN);
        if ((await work.batch(id)).failed === 1) return calls;
      }
    };
    const calls = await callsUntilFailed();
    await work.batches.retry('docs', { pool: null });
    expect(await callsUntilFailed()).toBe(calls);
    const line = await work.finalLine(id, 'a');
    expect(line).toMatchObject({ nightshift: { attempts: Array.from({ length: calls * 2 }, () => ({})) } });
  });

  test('goes to another pool with its failed lines, and to no other with those still open', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    await work.call(id, SMALL, 'a', REFUSED);
    await work.batches.retry('docs', { pool: 'large' });
    const [large, ...others] = await work.begin((await work.grant(LARGE)).slices.flat());
    expect([large?.customId, large?.poolLaneIds, others]).toEqual(['a', [LARGE], []]);
    const [small] = await work.begin((await work.grant(SMALL)).slices.flat());
    expect(small?.customId).toBe('b');
    expect((await work.batches.status('docs')).laneIds).toEqual([SMALL, LARGE]);
  });

  test('takes the cancelled lines of a cancelled batch up, too', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b', 'c');
    await work.call(id, SMALL, 'a', ANSWER);
    await work.call(id, SMALL, 'b', REFUSED);
    await work.batches.cancel('docs');
    expect(await work.batches.retry('docs', { pool: null })).toMatchObject({
      lines: 2,
      batch: { state: 'in_progress', succeeded: 1, failed: 0, cancelled: 0 },
    });
    await work.call(id, SMALL, 'c', ANSWER);
    await work.call(id, SMALL, 'b', ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'completed', succeeded: 3 });
  });

  test('leaves cancelled lines alone that are none of a cancelled batch any more', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    await work.batches.cancel('docs');
    await work.batches.retry('docs', { pool: null });
    await work.call(id, SMALL, 'a', REFUSED);
    expect(await work.batches.retry('docs', { pool: null })).toMatchObject({ lines: 1 });
    expect(await work.batch(id)).toMatchObject({ cancelled: 0, failed: 0 });
  });

  test('stays as it was where its pools cannot be made anew: no line waits for lanes that never come', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a');
    await work.call(id, SMALL, 'a', REFUSED);
    const interrupted = {
      ...work.routing,
      lanesOf: () => {
        throw new Error('the process ends here');
      },
    };
    await expect(work.store.retry(id, null, interrupted)).rejects.toThrow('the process ends here');
    expect(await work.batch(id)).toMatchObject({ state: 'completed', failed: 1 });
    expect(await work.store.retry(id, null, work.routing)).toBe(1);
    await work.call(id, SMALL, 'a', ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'completed', succeeded: 1 });
  });

  test('is refused while it is being cancelled', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a', 'b');
    await work.call(id, SMALL, 'a', REFUSED);
    const answer = await startCall(work, id, 'b');
    await work.batches.cancel('docs');
    await expect(work.batches.retry('docs', { pool: null })).rejects.toThrow('just being cancelled');
    await answer(ANSWER);
    expect(await work.batches.retry('docs', { pool: null })).toMatchObject({ lines: 1 });
  });
});

describe('a batch of a service', () => {
  test('is one that is retried, whoever had it before', async (context) => {
    const work = await open(context);
    const id = await submissionOf(work, 'a');
    await work.call(id, SMALL, 'a', REFUSED);
    await work.pool.query('UPDATE batch SET is_served = false');
    await work.batches.retry('docs', { pool: null });
    expect(await work.store.servedBatchIds()).toEqual([id]);
  });

  test('gets the lanes that come later, and loses none that went', async (context) => {
    const work = await open(context);
    const id = (await work.submit(['a'], { pool: 'small' })).id;
    expect(await work.store.servedBatchIds()).toEqual([id]);
    const later = { ...work.routing, lanesOf: () => work.routing.lanesOf('large') };
    await work.store.addLanes(id, later);
    await work.store.addLanes(id, later);
    const { rows } = await work.pool.query('SELECT lane_ids FROM pool');
    expect(rows).toEqual([{ lane_ids: [SMALL, 'beta/small', LARGE] }]);
  });
});
