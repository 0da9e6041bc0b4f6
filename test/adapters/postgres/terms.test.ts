/** What a batch goes by, on a real record: its hours, its priority, its share of the lanes, and its deadline. */
import fc from 'fast-check';
import { describe, expect, test, type TestContext } from 'vitest';
import type { AskedTerms } from '../../../src/core/batch-terms.ts';
import { aLane, aProvider, NOW_MS, routingFor } from '../../app/fakes.ts';
import { NOTHING_ASKED } from '../../contracts/batches-under-test.ts';
import { stopClockAt } from '../../contracts/quota-record.ts';
import { openTestRecord } from '../../postgres-fixture.ts';
import { ANSWER, BROKEN, openRecordAtWork, type RecordAtWork } from './a-record-at-work.ts';

const LANE = 'alpha/small';
const OTHER_LANE = 'beta/small';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** NOW_MS is 07:00 UTC. */
const AT_8_MS = NOW_MS + HOUR_MS;

/** Two lanes of eight calls at once, without limits; lines go to either, or to the first alone. */
const ROUTING = routingFor(
  [aProvider([aLane(LANE, { concurrency: 8 })]), aProvider([aLane(OTHER_LANE, { concurrency: 8 })])],
  [
    { name: 'alone', laneIds: [LANE] },
    { name: 'both', laneIds: [LANE, OTHER_LANE] },
    { name: 'other', laneIds: [OTHER_LANE] },
  ],
);

/** A record at work whose clock stands at 07:00 UTC. */
const open = async (context: TestContext): Promise<RecordAtWork> => {
  const record = await openTestRecord(context);
  await stopClockAt(record.pool, NOW_MS);
  const work = await openRecordAtWork(record, ROUTING);
  context.onTestFinished(() => work[Symbol.asyncDispose]());
  return work;
};

/** The record's clock stands at that instant. */
const standAt = async ({ pool }: RecordAtWork, atMs: number): Promise<void> => await stopClockAt(pool, atMs);

/** And the process's mirror of it has seen that. */
const seeClockAt = async (work: RecordAtWork, atMs: number): Promise<void> => {
  await standAt(work, atMs);
  await expect.poll(() => work.clock.nowMs(), { timeout: 5_000 }).toBeGreaterThanOrEqual(atMs);
};

const termsOf = (asked: Partial<AskedTerms>) => ({ terms: { ...NOTHING_ASKED, ...asked } });

/** Lines whose ids begin with that letter. */
const lines = (letter: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index}`);

const submit = async (
  work: RecordAtWork,
  letter: string,
  { count = 40, pool = 'alone', ...asked }: Partial<AskedTerms> & { count?: number; pool?: string } = {},
): Promise<number> => (await work.submit(lines(letter, count), { name: letter, pool, ...termsOf(asked) })).id;

/** The letters of the batches whose lines these are. */
const lettersOf = async ({ pool }: RecordAtWork, grantIds: readonly number[]): Promise<string> => {
  const { rows } = await pool.query<{ letter: string }>(
    `SELECT left(r.custom_id, 1) AS letter FROM unnest($1::bigint[]) WITH ORDINALITY AS g (id, n)
     JOIN grants ON grants.id = g.id JOIN request r ON r.id = grants.request_id ORDER BY g.n`,
    [grantIds],
  );
  return rows.map(({ letter }) => letter).join('');
};

/** Grants and calls as a dispatcher and a worker would, so many calls in all, so many at once; whose lines they were. */
const serve = async (
  work: RecordAtWork,
  calls: number,
  { laneId = LANE, atMost = 2 }: { readonly laneId?: string; readonly atMost?: number } = {},
): Promise<string> => {
  let served = '';
  while (served.length < calls) {
    const ids = (await work.grant(laneId, atMost)).slices.flat();
    if (ids.length === 0) return served;
    served += await lettersOf(work, ids);
    await Promise.all(ids.map((id) => work.runGrant(id, ANSWER)));
  }
  return served;
};

const countOf = (text: string, letter: string): number => text.split(letter).length - 1;

describe('the hours of a batch', () => {
  test('hold its grants until they begin, and wake the lane exactly then', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { between: '08:00-09:00' });
    expect(await work.grant(LANE)).toEqual({
      slices: [],
      wishPlaces: [],
      stoppedBy: 'no-work',
      wakeAtMs: AT_8_MS,
    });
    await standAt(work, AT_8_MS - 1);
    expect((await work.grant(LANE)).slices).toEqual([]);
    await standAt(work, AT_8_MS);
    expect((await work.grant(LANE)).slices).toHaveLength(8);
    await standAt(work, AT_8_MS + HOUR_MS);
    expect(await work.grant(LANE)).toMatchObject({
      slices: [],
      wishPlaces: [],
      wakeAtMs: null,
      stoppedBy: 'no-slot',
    });
  });

  test('leave the lanes to other batches meanwhile, and wake at the first of several', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { between: '10:00-11:00' });
    await submit(work, 'b', { between: '08:00-09:00' });
    await submit(work, 'c', { count: 3 });
    const granted = await work.grant(LANE);
    expect(await lettersOf(work, granted.slices.flat())).toBe('ccc');
    expect((await work.grant(LANE)).wakeAtMs).toBe(AT_8_MS);
    // A lane that none of them may use waits for nobody.
    expect(await work.grant(OTHER_LANE)).toEqual({
      slices: [],
      wishPlaces: [],
      stoppedBy: 'no-work',
      wakeAtMs: null,
    });
  });

  test('are over for a call that was granted in time and has not begun: it goes back', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { between: '06:00-08:00', count: 2 });
    const [first = 0, second = 0] = (await work.grant(LANE)).slices.flat();
    const answer = await work.startCall(first);
    await standAt(work, AT_8_MS);
    expect(await work.begin([second])).toEqual([]);
    await answer(ANSWER);
    expect(await work.batch(id)).toMatchObject({ succeeded: 1, state: 'in_progress' });
    const { rows } = await work.pool.query('SELECT outcome FROM grants WHERE id = $1', [second]);
    expect(rows).toEqual([{ outcome: 'released' }]);
  });

  test('are lifted by the same submission without them, at once', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { between: '08:00-09:00' });
    await submit(work, 'a', { between: 'always' });
    expect((await work.grant(LANE)).slices).toHaveLength(8);
  });
});

describe('priority', () => {
  test('goes first, whoever came first, and what is left goes to the others', async (context) => {
    const work = await open(context);
    await submit(work, 'a');
    await submit(work, 'b', { priority: -1 });
    await submit(work, 'c', { priority: 5, count: 6 });
    expect(await lettersOf(work, (await work.grant(LANE)).slices.flat())).toBe('ccccccaa');
  });

  test('does not keep a lane idle that the higher batch cannot use', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { priority: 100, pool: 'alone' });
    await submit(work, 'b', { priority: -100, pool: 'other' });
    expect(await serve(work, 4, { laneId: OTHER_LANE })).toBe('bbbb');
  });

  test('changes by submitting again, and holds for the next grant', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { priority: 1 });
    await submit(work, 'b');
    expect(await serve(work, 2)).toBe('aa');
    await submit(work, 'b', { priority: 2 });
    expect(await serve(work, 2)).toBe('bb');
  });
});

describe('batches of equal priority', () => {
  test('share a lane equally, a part each from the first grant on', async (context) => {
    const work = await open(context);
    await submit(work, 'a');
    await submit(work, 'b');
    expect(await lettersOf(work, (await work.grant(LANE)).slices.flat())).toBe('aaaa');
    const served = await serve(work, 24);
    expect(Math.abs(countOf(served, 'a') - countOf(served, 'b'))).toBeLessThanOrEqual(4);
  });

  test('share by tokens: long documents do not get more than short ones', async (context) => {
    const work = await open(context);
    const long = await submit(work, 'a');
    await submit(work, 'b');
    await work.pool.query('UPDATE request SET prompt_tokens = 200');
    await work.pool.query('UPDATE request SET prompt_tokens = 2000 WHERE batch_id = $1', [long]);
    const served = await serve(work, 40, { atMost: 1 });
    expect(countOf(served, 'b')).toBeGreaterThan(countOf(served, 'a') + 4);
    const { rows } = await work.pool.query<{ tokens: number }>('SELECT tokens FROM batch_share');
    const [one = 0, other = 0] = rows.map(({ tokens }) => tokens);
    // They differ by what one call may take, of some ten thousand.
    expect(Math.abs(one - other)).toBeLessThan(3_000);
    expect(Math.min(one, other)).toBeGreaterThan(6_000);
  });

  test('that arrives neither waits for its turn nor makes up for what others had before', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { count: 60 });
    await submit(work, 'b', { count: 60 });
    await serve(work, 40);
    await submit(work, 'c', { count: 60 });
    const served = await serve(work, 30, { atMost: 1 });
    for (const letter of 'abc') expect(countOf(served, letter)).toBeGreaterThanOrEqual(9);
    expect(served.slice(0, 4)).toContain('c');
  });

  test('that comes back after a while has nothing to make up for, either', async (context) => {
    const work = await open(context);
    for (const letter of 'abc') await submit(work, letter, { count: 80 });
    await serve(work, 6);
    await work.batches.pause('a');
    await serve(work, 60);
    await standAt(work, NOW_MS + 11 * MINUTE_MS);
    await serve(work, 4);
    await work.batches.resume('a');
    const served = await serve(work, 30, { atMost: 1 });
    expect(countOf(served, 'a')).toBeGreaterThanOrEqual(9);
    expect(countOf(served, 'a')).toBeLessThanOrEqual(11);
  });

  test('are even over all lanes: who has a lane of its own leaves the shared one to the other', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { pool: 'alone' });
    await submit(work, 'b', { pool: 'both' });
    expect(await serve(work, 4)).toMatch(/^a/u);
    expect(await serve(work, 12, { laneId: OTHER_LANE })).toBe('b'.repeat(12));
    expect(await serve(work, 8)).toBe('aaaaaaaa');
  });

  test('are never further apart than one call, whatever the calls and their order', async (context) => {
    const work = await open(context);
    const batch = fc.array(fc.integer({ min: 1, max: 6_000 }), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 4 }), async (batches) => {
        const submitted: number[] = [];
        for (const [index, sizes] of batches.entries()) {
          const id = await submit(work, 'abcd'.charAt(index), { count: sizes.length });
          await work.pool.query(
            `UPDATE request r SET prompt_tokens = ($2::integer[])[r.line_number] WHERE r.batch_id = $1`,
            [id, sizes],
          );
          submitted.push(id);
        }
        await serve(work, submitted.length * 4, { atMost: 1 });
        const { rows } = await work.pool.query<{ apart: number; largest: number }>(
          `SELECT (SELECT max(tokens) - min(tokens) FROM batch_share) AS apart,
                  (SELECT max(g.prompt_tokens + g.output_tokens) FROM grants g JOIN request r ON r.id = g.request_id
                   WHERE r.batch_id = ANY ($1)) AS largest`,
          [submitted],
        );
        for (const id of submitted) await work.store.remove(id);
        expect(rows[0]?.apart).toBeLessThanOrEqual(rows[0]?.largest ?? 0);
      }),
      { numRuns: 6 },
    );
  });

  test('that has nothing to grant leaves its part to the others', async (context) => {
    const work = await open(context);
    await submit(work, 'a', { count: 1 });
    await submit(work, 'b');
    const [held = 0] = (await work.grant(LANE, 1)).slices.flat();
    expect(await lettersOf(work, [held])).toBe('a');
    expect(await serve(work, 12)).toBe('b'.repeat(12));
  });

  test('are not counted while there is but one', async (context) => {
    const work = await open(context);
    await submit(work, 'a');
    await serve(work, 4);
    const { rows } = await work.pool.query('SELECT FROM batch_share');
    expect(rows).toEqual([]);
  });
});

/** A sweep, and what housekeeping does after it. */
const keepHouse = async (work: RecordAtWork): Promise<void> => {
  await work.ledger.sweep();
  await work.endLines();
};

describe('a deadline', () => {
  test('is when a sweep is due, and ends every line that is not under way', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00', count: 4 });
    await work.call(id, LANE, 'a0', BROKEN);
    const grantId = await work.grantLine(id, LANE, 'a1');
    const answer = await work.startCall(grantId);
    expect(await work.ledger.sweep()).toMatchObject({ nextDueAtMs: expect.any(Number) });
    await standAt(work, AT_8_MS - 1);
    await keepHouse(work);
    expect(await work.batch(id)).toMatchObject({ state: 'in_progress', expired: 0 });
    expect(await work.ledger.sweep()).toMatchObject({ nextDueAtMs: AT_8_MS });

    await standAt(work, AT_8_MS);
    expect((await work.grant(LANE)).slices).toEqual([]);
    await keepHouse(work);
    expect(await work.batch(id)).toMatchObject({ state: 'expiring', expired: 3 });
    expect(await work.finalLine(id, 'a2')).toMatchObject({
      response: null,
      error: {
        code: 'batch_expired',
        message: 'This request could not be executed before the completion window expired.',
      },
    });
    expect(await work.finalLine(id, 'a0')).toMatchObject({ nightshift: { attempts: [{ lane: LANE }] } });
    await answer(ANSWER);
    expect(await work.batch(id)).toMatchObject({
      state: 'expired',
      succeeded: 1,
      expired: 3,
      cancelled: 0,
      completedAtMs: AT_8_MS,
    });
  });

  test('that came while nobody was there is met by the first sweep', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '30m', count: 1_203 });
    await standAt(work, NOW_MS + 48 * HOUR_MS);
    await keepHouse(work);
    expect(await work.batch(id)).toMatchObject({ state: 'expired', expired: 1_203 });
  });

  test('holds back a call that was granted and has not begun, which then expires', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00', count: 1 });
    const granted = (await work.grant(LANE)).slices.flat();
    await standAt(work, AT_8_MS);
    expect(await work.begin(granted)).toEqual([]);
    await keepHouse(work);
    expect(await work.batch(id)).toMatchObject({ state: 'expired', expired: 1 });
  });

  test('costs a batch nothing whose last calls were under way and succeeded', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00', count: 1 });
    const [grantId = 0] = (await work.grant(LANE)).slices.flat();
    const answer = await work.startCall(grantId);
    await standAt(work, AT_8_MS);
    await keepHouse(work);
    expect(await work.batch(id)).toMatchObject({ state: 'expiring' });
    await answer(ANSWER);
    expect(await work.batch(id)).toMatchObject({ state: 'completed', succeeded: 1 });
  });

  test('ends a call that failed for now after it, rather than trying again', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00', count: 1 });
    const [grantId = 0] = (await work.grant(LANE)).slices.flat();
    const answer = await work.startCall(grantId);
    await standAt(work, AT_8_MS);
    await keepHouse(work);
    await answer(BROKEN);
    await keepHouse(work);
    expect(await work.batch(id)).toMatchObject({ state: 'expired', expired: 1, failed: 0 });
  });

  test('ends a paused batch, and one outside its hours, too', async (context) => {
    const work = await open(context);
    const paused = await submit(work, 'a', { deadline: '08:00', count: 1 });
    const outside = await submit(work, 'b', { deadline: '08:00', between: '09:00-10:00', count: 1 });
    await work.batches.pause('a');
    await standAt(work, AT_8_MS);
    await keepHouse(work);
    expect(await work.batch(paused)).toMatchObject({ state: 'expired', isPaused: false });
    expect(await work.batch(outside)).toMatchObject({ state: 'expired' });
  });

  test('is lifted by a retry, which takes the expired lines up again', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00', count: 3 });
    await standAt(work, AT_8_MS);
    await work.ledger.sweep();
    await expect(work.batches.retry('a', { pool: null })).rejects.toThrow('ended at its deadline');
    await work.endLines();
    expect(await work.batches.retry('a', { pool: null })).toMatchObject({
      lines: 3,
      batch: { state: 'in_progress', expired: 0, terms: { deadlineAtMs: null }, deadlineText: null },
    });
    await keepHouse(work);
    expect(await serve(work, 3)).toBe('aaa');
    expect(await work.batch(id)).toMatchObject({ state: 'completed', succeeded: 3 });
  });

  test('that lies ahead stays when failed lines are retried', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00', count: 2 });
    await work.pool.query("UPDATE request SET state = 'failed'");
    await work.pool.query("UPDATE batch SET failed = 2, state = 'completed'");
    await work.batches.retry('a', { pool: null });
    expect(await work.batch(id)).toMatchObject({
      terms: { deadlineAtMs: AT_8_MS },
      deadlineText: '08:00 UTC',
    });
  });

  test('is the same instant when it is asked for again in the same words, the day after', async (context) => {
    const work = await open(context);
    const id = await submit(work, 'a', { deadline: '08:00' });
    await seeClockAt(work, AT_8_MS + 2 * HOUR_MS);
    await submit(work, 'a', { deadline: '08:00' });
    expect((await work.batch(id)).terms.deadlineAtMs).toBe(AT_8_MS);
    await submit(work, 'a', { deadline: '11:00' });
    expect((await work.batch(id)).terms.deadlineAtMs).toBe(NOW_MS + 4 * HOUR_MS);
  });
});
