/** What every implementation of {@link Batches} must do: the fake, the record, and the client of another process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Batches,
  BatchRefused,
  type ResultQuery,
  type Submission,
  type Submitted,
} from '../../src/app/batches.ts';
import { parseLoosely, stringAt } from '../../src/core/json/loose-json.ts';
import type { Policy } from '../../src/core/policy.ts';
import {
  type BatchesUnderTest,
  documents,
  inputOf,
  NOTHING_ASKED,
  submissionTo,
} from './batches-under-test.ts';

/** A policy that says nothing. */
const ANY: Policy = { forbidsTraining: false, regions: [], only: [], except: [] };

/** Runs the suite, on a new implementation for every test. */
export const batchesContract = (implementation: string, open: () => Promise<BatchesUnderTest>): void => {
  describe(`Batches: ${implementation}`, () => {
    let under: BatchesUnderTest;

    beforeEach(async () => {
      under = await open();
    });
    afterEach(async () => {
      await under[Symbol.asyncDispose]();
    });

    /** Submits a text, or an input. */
    const submit = async (
      input: string | ReturnType<typeof inputOf>,
      changes: Partial<Submission> = {},
    ): Promise<Submitted> =>
      await under.batches.submit(
        submissionTo(under.pool, changes),
        typeof input === 'string' ? inputOf(input) : input,
        () => {},
        new AbortController().signal,
      );

    /** Makes lines final: `a` succeeds, `!a` fails. */
    const finish = async (batchId: number, ...outcomes: readonly string[]): Promise<void> => {
      await under.finish(
        batchId,
        outcomes.map((outcome) => ({
          customId: outcome.replace('!', ''),
          succeeds: !outcome.startsWith('!'),
        })),
      );
      await under.settle();
    };

    /** The ids of final lines, `!` before those that are no success. */
    const results = async (ref: string, changes: Partial<ResultQuery> = {}): Promise<readonly string[]> => {
      const pages = under.batches.results(ref, { order: 'input', only: 'all', ...changes });
      return (await Array.fromAsync(pages))
        .flat()
        .map(
          ({ line, succeeded }) =>
            `${succeeded ? '' : '!'}${stringAt(parseLoosely(line), 'custom_id') ?? '?'}`,
        );
    };

    describe('submit', () => {
      it('takes the good lines in and says why others were refused', async () => {
        const { batch, reasons, isKnown } = await submit(`${documents('a')}not JSON\n${documents('b')}`);
        expect(isKnown).toBe(false);
        expect(reasons.count).toBe(1);
        expect(reasons.first[0]).toContain('line 2');
        expect(batch).toMatchObject({
          name: 'docs',
          state: 'in_progress',
          isPaused: false,
          total: 3,
          bad: 1,
          succeeded: 0,
          failed: 0,
          cancelled: 0,
          outputPath: null,
          errorPath: null,
          completedAtMs: null,
        });
      });

      it('keeps the places where files will be written', async () => {
        const paths = { outputPath: '/nights/ä b.jsonl', errorPath: '/nights/errors.jsonl' };
        expect((await submit(documents('a'), paths)).batch).toMatchObject(paths);
      });

      it('answers the batch it knows for the same input, task and policy', async () => {
        const first = await submit(documents('a', 'b'));
        await finish(first.batch.id, 'a');
        const again = await submit(documents('a', 'b'));
        expect(again).toMatchObject({ isKnown: true, reasons: { first: [], count: 0 } });
        expect(again.batch).toMatchObject({ id: first.batch.id, succeeded: 1, total: 2 });
        expect(await under.batches.list({ atMost: 10, beforeId: null })).toHaveLength(1);
      });

      it.each<[string, Partial<Submission>]>([
        ['task', { task: { name: 'summarize', maxOutputTokens: 99 } }],
        ['prompt', { task: { prompt: 'Translate {{text}} & say «so», 100 % + more' } }],
        ['limit', { limit: 1 }],
        ['identity', { identityName: 'other' }],
        ['policy', { policy: { ...ANY, except: ['beta'] } }],
      ])('takes the same input with another %s as another batch', async (_, changes) => {
        const first = await submit(documents('a', 'b'));
        const other = await submit(documents('a', 'b'), changes);
        expect(other.isKnown).toBe(false);
        expect(other.batch.id).not.toBe(first.batch.id);
      });

      it('takes a policy in other words for the same', async () => {
        const first = await submit(documents('a'), { policy: { ...ANY, except: ['beta'], only: ['alpha'] } });
        const again = await submit(documents('a'), {
          policy: { ...ANY, except: ['beta', 'beta'], only: ['alpha'] },
        });
        expect(again).toMatchObject({ isKnown: true, batch: { id: first.batch.id } });
        const without = await submit(documents('b'), { policy: ANY });
        expect(await submit(documents('b'))).toMatchObject({
          isKnown: true,
          batch: { id: without.batch.id },
        });
      });

      it('keeps the policy of a batch, wherever it is shown', async () => {
        const policy = { ...ANY, only: ['alpha', under.laneId], except: ['beta'] };
        expect((await submit(documents('a'), { policy })).batch.policy).toEqual(policy);
        expect((await under.batches.status('docs')).progress.batch.policy).toEqual(policy);
        expect((await under.batches.list({ atMost: 1, beforeId: null }))[0]?.policy).toEqual(policy);
        expect((await submit(documents('b'))).batch.policy).toBeNull();
      });

      it('keeps the budget of a batch, wherever it is shown, and takes another one for the same batch', async () => {
        const first = await submit(documents('a'), { maxCostNanoDollars: 2_500_000_000 });
        const money = { maxCostNanoDollars: 2_500_000_000, spentNanoDollars: 0, heldNanoDollars: 0 };
        expect(first.batch).toMatchObject(money);
        expect((await under.batches.status('docs')).progress.batch).toMatchObject(money);
        expect((await under.batches.list({ atMost: 1, beforeId: null }))[0]).toMatchObject(money);
        const again = await submit(documents('a'), { maxCostNanoDollars: 1_000 });
        expect([again.isKnown, again.batch.id, again.batch.maxCostNanoDollars]).toEqual([
          true,
          first.batch.id,
          1_000,
        ]);
        expect((await submit(documents('a'))).batch.maxCostNanoDollars).toBe(1_000);
        expect((await under.batches.status('docs')).progress.batch.maxCostNanoDollars).toBe(1_000);
        expect((await submit(documents('b'))).batch.maxCostNanoDollars).toBeNull();
      });

      it('keeps the terms of a batch, wherever it is shown', async () => {
        const { batch } = await submit(documents('a'), {
          terms: { between: '22:00-07:00', priority: -7, deadline: '12h', timeZone: 'Asia/Tokyo' },
        });
        expect(batch.terms).toEqual({
          nightWindow: { fromMinute: 1_320, untilMinute: 420, timeZone: 'Asia/Tokyo' },
          priority: -7,
          deadlineAtMs: expect.any(Number),
        });
        expect(batch).toMatchObject({ deadlineText: '12h', expired: 0 });
        expect((await under.batches.status('docs')).progress.batch.terms).toEqual(batch.terms);
        expect((await under.batches.list({ atMost: 1, beforeId: null }))[0]?.terms).toEqual(batch.terms);
        expect((await submit(documents('b'))).batch).toMatchObject({
          terms: { nightWindow: null, priority: 0, deadlineAtMs: null },
          deadlineText: null,
        });
      });

      it('takes the same input on other terms for the same batch, which goes by what is said from then on', async () => {
        const asked = { between: '22:00-07:00', priority: 3, deadline: '12h', timeZone: 'UTC' };
        const first = await submit(documents('a'), { terms: asked });
        expect(first.formerTerms).toBeNull();
        const again = await submit(documents('a'), { terms: asked });
        expect(again).toMatchObject({
          isKnown: true,
          formerTerms: null,
          batch: { terms: first.batch.terms },
        });
        const other = await submit(documents('a'), {
          terms: { between: 'always', priority: null, deadline: null, timeZone: 'UTC' },
        });
        expect(other).toMatchObject({ isKnown: true, formerTerms: first.batch.terms });
        expect(other.batch).toMatchObject({
          id: first.batch.id,
          terms: { ...first.batch.terms, nightWindow: null },
        });
        expect((await under.batches.status('docs')).progress.batch.terms).toEqual(other.batch.terms);
      });

      it.each<[string, Partial<Submission['terms']>, string]>([
        ['hours that are the whole day', { between: '00:00-24:00' }, 'Leave it out'],
        ['a deadline that has passed', { deadline: '2020-01-01T07:00' }, 'to lie ahead'],
        ['a priority out of bounds', { priority: 101 }, 'from -100 to 100'],
        ['a zone that nobody knows', { between: '22:00-07:00', timeZone: 'Mars/Base' }, 'Mars/Base'],
      ])('refuses %s', async (_, terms, why) => {
        const refused = submit(documents('a'), { terms: { ...NOTHING_ASKED, ...terms } });
        expect(await refusalOf(refused)).toMatchObject({
          kind: 'invalid',
          message: expect.stringContaining(why),
        });
        expect(await under.batches.list({ atMost: 10, beforeId: null })).toEqual([]);
      });

      it('refuses a policy that names nobody, with the nearest, and one that leaves no lane', async () => {
        const misspelt = await refusalOf(submit(documents('a'), { policy: { ...ANY, except: ['alpah'] } }));
        expect(misspelt).toMatchObject({
          kind: 'invalid',
          message: expect.stringMatching(/alpah.*Did you mean alpha/u),
        });
        const empty = await refusalOf(submit(documents('a'), { policy: { ...ANY, only: ['beta'] } }));
        expect(empty).toMatchObject({ kind: 'invalid', message: expect.stringContaining('`--only beta`') });
        expect(await under.batches.list({ atMost: 10, beforeId: null })).toEqual([]);
      });

      it('tells what becomes of prompts until that was shown', async () => {
        const { notices } = await submit(documents('a'));
        expect(notices).toEqual([expect.stringContaining('--except alpha')]);
        await under.batches.markTold(notices);
        expect((await submit(documents('b'))).notices).toEqual([]);
      });

      it('gives up what it knows of an input when it is asked to begin anew', async () => {
        const first = await submit(documents('a'));
        const anew = await submit(documents('a'), { fresh: true });
        expect(anew.isKnown).toBe(false);
        expect(anew.batch.id).not.toBe(first.batch.id);
        expect(await refusalOf(under.batches.status(String(first.batch.id)))).toMatchObject({
          kind: 'not-found',
        });
      });

      it('reads no further than the limit of good lines', async () => {
        const { batch } = await submit(`not JSON\n${documents('a', 'b', 'c')}`, { limit: 2 });
        expect(batch).toMatchObject({ total: 3, bad: 1 });
      });

      it('unpacks a gzipped input', async () => {
        const { batch } = await submit(inputOf(documents('a', 'b', 'ü'), { isGzip: true }));
        await finish(batch.id, 'ü');
        expect(batch.total).toBe(3);
        expect(await results(String(batch.id))).toEqual(['ü']);
      });

      it('refuses an input without a good line, with the reasons, and keeps nothing of it', async () => {
        const error = await refusalOf(submit('not JSON\n[]\n'));
        expect(error.kind).toBe('invalid');
        expect(error.message).toContain('line 1');
        expect(error.message).toContain('line 2');
        expect(await under.batches.list({ atMost: 10, beforeId: null })).toEqual([]);
      });

      it('refuses an empty input', async () => {
        expect(await refusalOf(submit(''))).toMatchObject({ kind: 'invalid' });
      });

      it.each<[string, Submission['task']]>([
        ['that it does not know', { name: 'translate' }],
        ['beside a prompt', { name: 'summarize', prompt: '{{text}}' }],
        ['that is neither named nor a prompt', {}],
        ['whose prompt has no place for the document', { prompt: 'Say hello.' }],
      ])('refuses a task %s', async (_, task) => {
        expect(await refusalOf(submit(documents('a'), { task }))).toMatchObject({ kind: 'invalid' });
      });

      it('refuses a pool that nobody knows', async () => {
        const elsewhere = submit(documents('a'), { pool: 'nowhere/at-all' });
        expect(await refusalOf(elsewhere)).toMatchObject({ kind: 'invalid' });
      });

      it('tells how far it is, never backwards and never past the end', async () => {
        const told: number[] = [];
        const input = inputOf(documents('a', 'b'));
        await under.batches.submit(
          submissionTo(under.pool),
          input,
          ({ bytesRead, bytes }) => {
            expect(bytes).toBe(input.byteLength);
            told.push(bytesRead);
          },
          new AbortController().signal,
        );
        expect(told).toEqual(told.toSorted((a, b) => a - b));
        expect(told.every((bytesRead) => bytesRead <= input.byteLength)).toBe(true);
      });

      it('takes nothing in once it is aborted', async () => {
        const signal = AbortSignal.abort(new Error('The user went away.'));
        const input = inputOf(documents('a'));
        await expect(under.batches.submit(submissionTo(under.pool), input, () => {}, signal)).rejects.toThrow(
          'The user went away.',
        );
        expect(await under.batches.list({ atMost: 10, beforeId: null })).toEqual([]);
      });
    });

    describe('list', () => {
      it('has the latest batch first, and goes on before one', async () => {
        for (const name of ['one', 'two', 'three']) await submit(documents(name), { name });
        const page = await under.batches.list({ atMost: 2, beforeId: null });
        expect(page.map(({ name: listed }) => listed)).toEqual(['three', 'two']);
        const rest = await under.batches.list({ atMost: 2, beforeId: page.at(-1)?.id ?? 0 });
        expect(rest.map(({ name: listed }) => listed)).toEqual(['one']);
      });
    });

    describe('status', () => {
      it('finds exactly the batch of an id by `id:`, though another is named like it', async () => {
        const { batch } = await submit(documents('a'));
        const namesake = await submit(documents('b'), { name: String(batch.id) });
        expect((await under.batches.status(`id:${batch.id}`)).progress.batch.id).toBe(batch.id);
        expect((await under.batches.status(`id:${namesake.batch.id}`)).progress.batch.id).toBe(
          namesake.batch.id,
        );
      });

      it('finds a batch by its id, and the latest by its name', async () => {
        const older = await submit(documents('a'));
        const latest = await submit(documents('b'));
        expect((await under.batches.status(String(older.batch.id))).progress.batch.id).toBe(older.batch.id);
        expect((await under.batches.status('docs')).progress.batch.id).toBe(latest.batch.id);
      });

      it('counts what is final, and names the lanes', async () => {
        const { batch } = await submit(`not JSON\n${documents('a', 'b', 'c')}`);
        await finish(batch.id, 'a', '!b');
        const { progress, laneIds, warnings } = await under.batches.status('docs');
        expect(progress.batch).toMatchObject({ total: 4, bad: 1, succeeded: 1, failed: 1, cancelled: 0 });
        expect(progress.batch.state).toBe('in_progress');
        expect(laneIds).toContain(under.laneId);
        expect(progress.lanes.map(({ laneId }) => laneId)).toEqual(expect.arrayContaining([...laneIds]));
        expect(warnings.every((warning) => typeof warning === 'string')).toBe(true);
      });

      it('says when every line is final', async () => {
        const { batch } = await submit(documents('a', 'b'));
        await finish(batch.id, 'a', '!b');
        const { progress } = await under.batches.status('docs');
        expect(progress.batch.state).toBe('completed');
        expect(progress.batch.completedAtMs).toEqual(expect.any(Number));
      });

      it.each(['a/b', 'ä b?c#d', '100 %2F & more', '"quoted"', 'a+b=c;d', '日本語'])(
        'finds a batch called %s',
        async (name) => {
          const { batch } = await submit(documents('a'), { name });
          expect((await under.batches.status(name)).progress.batch).toMatchObject({ id: batch.id, name });
        },
      );
    });

    describe('results', () => {
      it('have the final lines in the order of the input, with gaps', async () => {
        const { batch } = await submit(`${documents('a', 'b')}{"id":"bad"}\n${documents('c', 'd')}`);
        await finish(batch.id, 'd', '!c', 'a');
        expect((await results('docs')).filter((id) => id !== '!bad' && id !== '!?')).toEqual([
          'a',
          '!c',
          'd',
        ]);
        expect(await results('docs')).toHaveLength(4);
      });

      it('have them in the order of completion', async () => {
        const { batch } = await submit(documents('a', 'b', 'c'));
        await finish(batch.id, 'c');
        await finish(batch.id, '!a');
        await finish(batch.id, 'b');
        expect(await results('docs', { order: 'completion' })).toEqual(['c', '!a', 'b']);
      });

      it.each(['input', 'completion'] as const)(
        'are all there at the end, each once, in order of %s',
        async (order) => {
          const { batch } = await submit(`not JSON\n${documents('a', 'b', 'c')}`);
          await finish(batch.id, 'c', '!a', 'b');
          expect((await results('docs', { order })).toSorted()).toEqual(['!?', '!a', 'b', 'c']);
        },
      );

      it('are only successes, or only others, as asked', async () => {
        const { batch } = await submit(`not JSON\n${documents('a', 'b', 'c')}`);
        await finish(batch.id, 'c', '!a', 'b');
        for (const order of ['input', 'completion'] as const) {
          expect((await results('docs', { order, only: 'succeeded' })).toSorted()).toEqual(['b', 'c']);
          expect((await results('docs', { order, only: 'others' })).toSorted()).toEqual(['!?', '!a']);
        }
      });

      it('are empty while nothing is final', async () => {
        await submit(documents('a'));
        expect(await results('docs')).toEqual([]);
      });

      it('may be left before their end', async () => {
        const { batch } = await submit(documents('a', 'b'));
        await finish(batch.id, 'a', 'b');
        for await (const page of under.batches.results('docs', { order: 'input', only: 'all' })) {
          if (page.length > 0) break;
        }
        expect(await results('docs')).toEqual(['a', 'b']);
      });
    });

    describe('cancel', () => {
      it('ends every open line with an error, and keeps what was final', async () => {
        const { batch } = await submit(documents('a', 'b', 'c'));
        await finish(batch.id, 'a');
        expect(['cancelling', 'cancelled']).toContain((await under.batches.cancel('docs')).state);
        await under.settle();
        const { progress } = await under.batches.status('docs');
        expect(progress.batch).toMatchObject({ state: 'cancelled', succeeded: 1, cancelled: 2, failed: 0 });
        expect(await results('docs')).toEqual(['a', '!b', '!c']);
        const [others = []] = await Array.fromAsync(
          under.batches.results('docs', { order: 'input', only: 'others' }),
        );
        expect(stringAt(parseLoosely(others[0]?.line ?? ''), 'error', 'code')).toBe('batch_cancelled');
      });

      it('refuses a batch that is over', async () => {
        const { batch } = await submit(documents('a'));
        await finish(batch.id, 'a');
        expect(await refusalOf(under.batches.cancel('docs'))).toMatchObject({ kind: 'conflict' });
      });
    });

    describe('pause and resume', () => {
      it('hold a batch and let it go on', async () => {
        await submit(documents('a'));
        expect(await under.batches.pause('docs')).toMatchObject({ isPaused: true, state: 'in_progress' });
        expect((await under.batches.status('docs')).progress.batch.isPaused).toBe(true);
        expect(await under.batches.resume('docs')).toMatchObject({ isPaused: false, state: 'in_progress' });
        expect((await under.batches.status('docs')).progress.batch.isPaused).toBe(false);
      });

      it('refuse a batch that is over', async () => {
        const { batch } = await submit(documents('a'));
        await finish(batch.id, 'a');
        expect(await refusalOf(under.batches.pause('docs'))).toMatchObject({ kind: 'conflict' });
        expect(await refusalOf(under.batches.resume('docs'))).toMatchObject({ kind: 'conflict' });
      });
    });

    describe('retry', () => {
      it('makes failed lines pending again, and no others', async () => {
        const { batch } = await submit(`not JSON\n${documents('a', 'b', 'c')}`);
        await finish(batch.id, 'a', '!b', '!c');
        const { batch: again, lines } = await under.batches.retry('docs', { pool: null });
        expect(lines).toBe(2);
        expect(again).toMatchObject({
          state: 'in_progress',
          succeeded: 1,
          failed: 0,
          bad: 1,
          completedAtMs: null,
        });
        await finish(batch.id, 'b', '!c');
        expect((await results('docs')).filter((id) => id !== '!?')).toEqual(['a', 'b', '!c']);
      });

      it('refuses a batch in which nothing failed, and a pool that nobody knows', async () => {
        const { batch } = await submit(documents('a', 'b'));
        await finish(batch.id, 'a');
        expect(await refusalOf(under.batches.retry('docs', { pool: null }))).toMatchObject({
          kind: 'conflict',
        });
        await finish(batch.id, '!b');
        const elsewhere = under.batches.retry('docs', { pool: 'nowhere/at-all' });
        expect(await refusalOf(elsewhere)).toMatchObject({ kind: 'invalid' });
      });

      it('makes cancelled lines pending again', async () => {
        await submit(documents('a', 'b'));
        await under.batches.cancel('docs');
        await under.settle();
        const { batch, lines } = await under.batches.retry('docs', { pool: under.pool });
        expect(lines).toBe(2);
        expect(batch).toMatchObject({ state: 'in_progress', cancelled: 0 });
        expect(await results('docs')).toEqual([]);
      });
    });

    describe('lane totals', () => {
      it('count the calls of a batch by lane', async () => {
        const { batch } = await submit(documents('a', 'b', 'c'));
        expect(await under.batches.laneTotals('docs')).toEqual([]);
        await finish(batch.id, 'a', '!b');
        const [total, ...others] = await under.batches.laneTotals('docs');
        expect(others).toEqual([]);
        expect(total).toMatchObject({ laneId: under.laneId, calls: 2, succeeded: 1, rejected: 0 });
      });
    });

    describe('lanes', () => {
      it('are known, and can be paused and resumed', async () => {
        const { batches, laneId } = under;
        const isPaused = async (): Promise<boolean | undefined> =>
          (await batches.lanes()).find((lane) => lane.laneId === laneId)?.isPaused;
        expect(await isPaused()).toBe(false);
        await batches.pauseLane(laneId);
        expect(await isPaused()).toBe(true);
        await batches.resumeLane(laneId);
        expect(await isPaused()).toBe(false);
      });

      it('that nobody knows are not found', async () => {
        expect(await refusalOf(under.batches.pauseLane('nobody/nothing'))).toMatchObject({
          kind: 'not-found',
        });
        expect(await refusalOf(under.batches.resumeLane('nobody/nothing'))).toMatchObject({
          kind: 'not-found',
        });
      });
    });

    it.each<[string, (batches: Batches, ref: string) => Promise<unknown>]>([
      ['status', (batches, ref) => batches.status(ref)],
      ['results', (batches, ref) => Array.fromAsync(batches.results(ref, { order: 'input', only: 'all' }))],
      ['cancel', (batches, ref) => batches.cancel(ref)],
      ['pause', (batches, ref) => batches.pause(ref)],
      ['resume', (batches, ref) => batches.resume(ref)],
      ['laneTotals', (batches, ref) => batches.laneTotals(ref)],
      ['retry', (batches, ref) => batches.retry(ref, { pool: null })],
    ])('%s says when there is no such batch', async (_, act) => {
      await submit(documents('a'));
      for (const ref of ['nothing', '999999999', 'docs/results', '']) {
        expect(await refusalOf(act(under.batches, ref))).toMatchObject({ kind: 'not-found' });
      }
    });
  });
};

/** The refusal that a call ends with, which always says something. */
const refusalOf = async (call: Promise<unknown>): Promise<BatchRefused> => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof BatchRefused && error.message !== '') return error;
  throw new Error(`Expected a refusal with a message, got ${String(error)}.`, { cause: error });
};
