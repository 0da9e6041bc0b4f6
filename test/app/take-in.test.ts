import { describe, expect, it } from 'vitest';
import { readLines } from '../../src/adapters/files/read-lines.ts';
import { BatchRefused, type Submission } from '../../src/app/batches.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Batch, BatchStore, IngestRow } from '../../src/app/batch-store.ts';
import { takeIn, type TakeInTools } from '../../src/app/take-in.ts';
import { documents, inputOf, NOTHING_ASKED, submissionTo } from '../contracts/batches-under-test.ts';
import { fakeTokenizer } from './fake-tokenizer.ts';
import { aBatch, aLane, aProvider, aStore, batchLine, FakeClock, routingFor } from './fakes.ts';

const ROUTING = routingFor(
  [aProvider([aLane('alpha/small')])],
  [
    { name: 'small', laneIds: ['alpha/small'] },
    { name: 'empty', laneIds: [] },
  ],
);

/** A policy that says nothing. */
const ANY: Policy = { forbidsTraining: false, regions: [], only: [], except: [] };

const SAY_YES = { role: 'user', content: 'Say yes.' };
const IMAGE = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
const LONG_TEXT = 'x'.repeat(10_000);

const withPart = (part: object) => ({ role: 'user', content: [part] });

/** A line that asks for a model, as the file has it. */
const lineFor = (model: string, id: string): string => `${batchLine({ model, messages: [SAY_YES] }, id)}\n`;

/** A record that may know a batch of this identity, or of this output; everything it was told. */
const setUp = (methods: Partial<BatchStore> = {}, tools: Partial<TakeInTools> = {}) => {
  const removed: number[] = [];
  const outputs: (readonly [number, string, string])[] = [];
  const rows: IngestRow[] = [];
  const identities: string[] = [];
  const store = aStore({
    findByIdentity: async (identity) => {
      identities.push(identity);
      return null;
    },
    findUnfinishedByOutput: async () => null,
    remove: async (batchId) => void removed.push(batchId),
    setOutput: async (...told) => void outputs.push(told),
    ingest: async (_batch, _routing, pages) => {
      for await (const page of pages) rows.push(...page);
      return rows.some(({ state }) => state === 'pending')
        ? { kind: 'created', batch: aBatch({ id: 9 }) }
        : { kind: 'no-good-line' };
    },
    ...methods,
  });
  const take = async (submission: Partial<Submission> = {}, text = documents('a')) =>
    await takeIn(
      {
        store,
        routing: ROUTING,
        clock: new FakeClock(),
        readLines,
        tokenizer: fakeTokenizer,
        sha256: (identity) => identity,
        knownNames: ['groq', 'groq/gpt-oss-20b'],
        isServed: true,
        ...tools,
      },
      submissionTo('small', submission),
      inputOf(text),
      { tell: () => {}, signal: new AbortController().signal },
    );
  return { take, removed, outputs, rows, identities };
};

/** A record that knows this batch under any identity. */
const knowing = (batch: Batch) => setUp({ findByIdentity: async () => batch });

/** The refusal that a submission ends with. */
const refusalOf = async (taking: Promise<unknown>): Promise<BatchRefused> => {
  const error = await taking.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof BatchRefused) return error;
  throw new Error(`Expected a refusal, got ${String(error)}.`, { cause: error });
};

describe('takeIn', () => {
  it('reads the lines of a new input into the record, documents into the pool that was named', async () => {
    const { take, rows } = setUp();
    const { batch, isKnown, reasons } = await take({}, `${documents('a')}not JSON\n`);
    expect([batch.id, isKnown, reasons.count]).toEqual([9, false, 1]);
    expect(rows).toMatchObject([
      { customId: 'a', poolName: 'small', state: 'pending' },
      { customId: null, poolName: null, state: 'bad' },
    ]);
  });

  it('answers a batch that is known, and lets it write where this submission says', async () => {
    const { take, outputs, removed } = knowing(aBatch({ id: 4, state: 'completed' }));
    const taken = await take({ outputPath: '/o', errorPath: '/e' });
    expect(taken).toMatchObject({ isKnown: true, batch: { id: 4 }, reasons: { count: 0 } });
    expect([outputs, removed]).toEqual([[[4, '/o', '/e']], []]);
  });

  it('leaves the files of a known batch alone where this submission names none', async () => {
    const { take, outputs } = knowing(aBatch({ id: 4 }));
    await take();
    expect(outputs).toEqual([]);
  });

  it.each(['cancelling', 'cancelled'] as const)(
    'does not take up a batch that is %s, and says how to',
    async (state) => {
      const refusal = await refusalOf(knowing(aBatch({ id: 4, name: 'docs', state })).take());
      expect(refusal.kind).toBe('conflict');
      expect(refusal.message).toContain('`nightshift retry 4`');
      expect(refusal.message).toContain('--fresh');
    },
  );

  it('lets a known batch go by the terms of now, and says what it went by before', async () => {
    const set: unknown[] = [];
    const known = aBatch({ id: 4 });
    const { take } = setUp({
      findByIdentity: async () => known,
      setTerms: async (...told) => void set.push(told),
    });
    const taken = await take({ terms: { ...NOTHING_ASKED, priority: 9 } });
    expect(taken).toMatchObject({ batch: { id: 4, terms: { priority: 9 } }, formerTerms: known.terms });
    expect(set).toEqual([[4, { ...known.terms, priority: 9 }, null]]);
    expect(await take()).toMatchObject({ formerTerms: null });
    expect(set).toHaveLength(1);
  });

  it('does so where somebody else took it in meanwhile, too', async () => {
    const twin = aBatch({ id: 4 });
    const set: unknown[] = [];
    const { take, outputs } = setUp({
      ingest: async (_batch, _routing, pages) => {
        await Array.fromAsync(pages);
        return { kind: 'exists', batch: twin };
      },
      setTerms: async (...told) => void set.push(told),
    });
    const submission = {
      terms: { ...NOTHING_ASKED, priority: 9 },
      outputPath: '/out',
      errorPath: '/err',
    };
    const taken = await take(submission, `no JSON\n${documents('a')}`);
    expect(taken.reasons.count).toBe(1);
    expect(taken).toMatchObject({
      isKnown: true,
      batch: { terms: { priority: 9 } },
      formerTerms: twin.terms,
    });
    expect(set).toEqual([[4, { ...twin.terms, priority: 9 }, null]]);
    expect(outputs).toEqual([[4, '/out', '/err']]);
  });

  it('leaves the terms of a batch alone that is over', async () => {
    const { take } = knowing(aBatch({ id: 4, state: 'completed' }));
    const taken = await take({ terms: { ...NOTHING_ASKED, priority: 9 } });
    expect(taken).toMatchObject({ batch: { id: 4, terms: { priority: 0 } }, formerTerms: null });
  });

  it('answers a batch that expired, and refuses it another deadline with the way out', async () => {
    const { take } = knowing(aBatch({ id: 4, state: 'expired', deadlineText: '07:00 UTC' }));
    expect(await take()).toMatchObject({ isKnown: true, batch: { state: 'expired' } });
    expect(await take({ terms: { ...NOTHING_ASKED, deadline: '07:00' } })).toMatchObject({ isKnown: true });
    const refusal = await refusalOf(take({ terms: { ...NOTHING_ASKED, deadline: '09:00' } }));
    expect(refusal).toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(/deadline has passed\. .*`nightshift retry 4`.*--fresh/u),
    });
  });

  it('refuses terms that make no sense before it looks for the batch', async () => {
    const { take, identities } = setUp();
    const refusal = await refusalOf(take({ terms: { ...NOTHING_ASKED, between: '22-7' } }));
    expect(refusal).toMatchObject({ kind: 'invalid', message: expect.stringContaining('22:00-07:00') });
    expect(identities).toEqual([]);
  });

  it('does not know a batch by its terms', async () => {
    const { take, identities } = setUp();
    await take();
    await take({ terms: { between: '22:00-07:00', priority: 5, deadline: '8h', timeZone: 'Asia/Tokyo' } });
    expect(identities[0]).toBe(identities[1]);
  });

  it.each(['cancelled', 'completed', 'in_progress'] as const)(
    'gives up a known batch that is %s when it is asked to begin anew',
    async (state) => {
      const { take, removed } = knowing(aBatch({ id: 4, state }));
      expect(await take({ fresh: true })).toMatchObject({ isKnown: false, batch: { id: 9 } });
      expect(removed).toEqual([4]);
    },
  );

  it('refuses an output that another unfinished batch will write, unless it is to be given up', async () => {
    const other = aBatch({ id: 5, name: 'other', total: 10, succeeded: 2, bad: 1 });
    const { take, removed } = setUp({ findUnfinishedByOutput: async () => other });
    const refusal = await refusalOf(take({ outputPath: '/o.jsonl', errorPath: '/e.jsonl' }));
    expect(refusal.kind).toBe('conflict');
    expect(refusal.message).toMatch(/\/o\.jsonl .*"other".*\(3 of 10 lines done\)/u);
    await take({ outputPath: '/o.jsonl', errorPath: '/e.jsonl', fresh: true });
    expect(removed).toEqual([5]);
  });

  it.each(['no-such-pool', 'empty'])('refuses the pool %s, which stands for no lane', async (pool) => {
    const refusal = await refusalOf(setUp().take({ pool }));
    expect(refusal.kind).toBe('invalid');
    expect(refusal.message).toContain(`got "${pool}"`);
    expect(refusal.message).toContain('small');
  });

  it('refuses a task that is none, before it looks at the record', async () => {
    const { take, identities } = setUp();
    expect((await refusalOf(take({ task: { name: 'translate' } }))).kind).toBe('invalid');
    expect(identities).toEqual([]);
  });

  it('refuses an input without a good line, naming the first reasons and how many more there are', async () => {
    const refusal = await refusalOf(setUp().take({}, 'no JSON\n'.repeat(40)));
    expect(refusal.kind).toBe('invalid');
    expect(refusal.message).toContain('got none in 40:');
    expect(refusal.message).toContain('line 1');
    expect(refusal.message).toMatch(/… and \d+ more$/u);
  });

  it('knows a batch by its input, its task and its policy, and by nothing else', async () => {
    const { take, identities } = setUp();
    await take();
    await take({ name: 'other', outputPath: '/o', errorPath: '/e', fresh: true });
    expect(new Set(identities).size).toBe(1);
    await take({}, documents('b'));
    await take({ limit: 1 });
    await take({ identityName: 'tonight' });
    await take({ task: { name: 'summarize', maxOutputTokens: 99 } });
    expect(new Set(identities).size).toBe(5);
  });

  it('takes another policy for another batch, and the same in other words for the same', async () => {
    const { take, identities } = setUp();
    await take();
    await take({ policy: { ...ANY, except: ['groq', 'gamma'] } }).catch(() => {});
    await take({ policy: { ...ANY, except: ['groq', 'alpha/none'] } }).catch(() => {});
    expect(identities).toHaveLength(1);
    await take({ policy: { ...ANY, except: ['groq/gpt-oss-20b', 'groq'] } });
    await take({ policy: { ...ANY, except: ['groq', 'groq/gpt-oss-20b', 'groq'] } });
    await take({ policy: { ...ANY, except: ['groq'] } });
    await take({ policy: ANY });
    expect(new Set(identities).size).toBe(3);
  });

  it('hands the policy to the record, and nothing for one that says nothing', async () => {
    const policies: unknown[] = [];
    const { take } = setUp({
      ingest: async ({ policy }) => {
        policies.push(policy);
        return { kind: 'created', batch: aBatch() };
      },
    });
    await take({ policy: { ...ANY, except: ['groq'] } });
    await take({ policy: ANY });
    expect(policies).toEqual([{ ...ANY, except: ['groq'] }, null]);
  });

  it.each<[string, Partial<Policy>, RegExp]>([
    ['a name that nobody has', { except: ['alpah'] }, /--except .*"alpah".*Did you mean alpha/u],
    ['a lane that nobody has', { only: ['alpha/smal'] }, /--only .*Did you mean alpha\/small/u],
    ['a region that is none', { regions: ['E-U'] }, /--region .*"E-U"/u],
  ])('refuses a policy with %s before it looks at the record', async (_, policy, message) => {
    const { take, identities } = setUp();
    const refusal = await refusalOf(take({ policy: { ...ANY, ...policy } }));
    expect(refusal).toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) });
    expect(identities).toEqual([]);
  });

  it('refuses a policy that leaves no lane of the pool, and none at all without a pool', async () => {
    const policy = { ...ANY, forbidsTraining: true };
    const inPool = await refusalOf(setUp().take({ policy }));
    expect(inPool.message).toContain('`--no-training` to leave at least one lane of "small", got none');
    expect(inPool.message).toContain('whether alpha trains on prompts is unknown');
    const anywhere = await refusalOf(setUp().take({ policy, pool: null }));
    expect(anywhere.message).toContain('to leave at least one lane, got none');
  });

  it('gives nothing up for a policy that leaves no lane', async () => {
    const { take, removed } = knowing(aBatch({ id: 4 }));
    await refusalOf(take({ policy: { ...ANY, only: ['groq'] }, fresh: true }));
    expect(removed).toEqual([]);
  });

  it('still answers a finished batch whose policy leaves no lane by now', async () => {
    const { take } = knowing(aBatch({ id: 4, state: 'completed' }));
    expect(await take({ policy: { ...ANY, only: ['groq'] } })).toMatchObject({ isKnown: true });
  });

  it('refuses lines alone for whose model the policy leaves no lane', async () => {
    const routing = routingFor(
      [aProvider([aLane('alpha/small')]), aProvider([aLane('beta/large')], { trainsOnData: false })],
      [
        { name: 'small', laneIds: ['alpha/small'] },
        { name: 'large', laneIds: ['beta/large'] },
      ],
    );
    const { take, rows } = setUp({}, { routing });
    const { reasons } = await take(
      { pool: null, task: null, policy: { ...ANY, forbidsTraining: true } },
      lineFor('small', 'a') + lineFor('large', 'b'),
    );
    expect(rows).toMatchObject([
      { state: 'bad', customId: 'a' },
      { state: 'pending', customId: 'b', poolName: 'large' },
    ]);
    expect(reasons.first).toEqual([
      expect.stringMatching(/^line 1: request_unservable: .*`--no-training`.*"small"/u),
    ]);
  });

  it('measures lines by the lanes that the policy leaves', async () => {
    const routing = routingFor([
      aProvider([aLane('alpha/small', { contextTokens: 2_000 })]),
      aProvider([aLane('beta/large', { contextTokens: 131_072 })]),
    ]);
    const long = `${JSON.stringify({ id: 'a', text: 'word '.repeat(3_000) })}\n${documents('b')}`;
    const { take } = setUp({}, { routing });
    expect((await take({ pool: 'all' }, long)).reasons.count).toBe(0);
    const { reasons } = await take({ pool: 'all', policy: { ...ANY, except: ['beta'] } }, long);
    expect(reasons.first).toEqual([expect.stringContaining('that `--except beta` leaves take at most 2000')]);
  });
});

describe('money', () => {
  const price = { inputNanoDollarsPerMillion: 1, outputNanoDollarsPerMillion: 1, requestNanoDollars: 0 };
  const routing = routingFor(
    [aProvider([aLane('alpha/small')]), aProvider([aLane('dear/mini', { price })], { tier: 'paid' })],
    [
      { name: 'small', laneIds: ['alpha/small'] },
      { name: 'dear', laneIds: ['dear/mini'] },
    ],
  );

  /** The most that the prompt of a line is taken for that has these members, too. */
  const mostWith = async (members: string): Promise<number> => {
    const { take, rows } = setUp({}, { routing });
    const body = `{"model":"small","messages":[${JSON.stringify(SAY_YES)}]${members}}`;
    await take(
      { pool: null, task: null },
      `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":${body}}\n`,
    );
    return rows[0]?.mostPromptTokens ?? 0;
  };

  it('is asked for before anything is taken in where the pool is paid, and in the middle where a line is', async () => {
    const { take, rows } = setUp({}, { routing });
    expect(await refusalOf(take({ pool: 'dear' }))).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^Expected --max-cost, since every lane of "dear" is paid/u),
    });
    expect(rows).toEqual([]);
    const lines = lineFor('small', 'a') + lineFor('dear', 'b');
    const refused = await refusalOf(setUp({}, { routing }).take({ pool: null, task: null }, lines));
    expect(refused.message).toMatch(/^line 2: Expected --max-cost, .* Nothing was taken in\.$/u);
  });

  it('takes such lines in with a budget, with the most that their prompts can be', async () => {
    const { take, rows } = setUp({}, { routing });
    await take(
      { pool: null, task: null, maxCostNanoDollars: 5 },
      lineFor('small', 'a') + lineFor('dear', 'b'),
    );
    expect(rows).toMatchObject([
      { state: 'pending', poolName: 'small' },
      { state: 'pending', poolName: 'dear' },
    ]);
    for (const { promptTokens, mostPromptTokens } of rows)
      expect(mostPromptTokens).toBeGreaterThan(promptTokens);
  });

  it.each([
    ['an image with a stray text', { messages: [withPart({ ...IMAGE, text: '' })] }],
    ['a text with an image in it', { messages: [withPart({ ...IMAGE, type: 'text', text: 'Hi' })] }],
    ['images beside the content', { messages: [{ ...SAY_YES, images: ['https://example.com/a.png'] }] }],
    ['speech that is stored', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
    ['documents of any kind', { messages: [SAY_YES], documents: [LONG_TEXT] }],
    ['a prompt that is stored', { messages: [SAY_YES], preset: '@preset/long' }],
  ])('counts on the whole context of a lane where a line has %s', async (_what, members) => {
    const { take, rows } = setUp({}, { routing });
    await take({ pool: null, task: null }, `${batchLine({ model: 'small', ...members })}\n`);
    expect(rows).toMatchObject([{ state: 'pending', mostPromptTokens: null }]);
  });

  it('counts every byte that a paid call sends, and none that it leaves out', async () => {
    const bare = await mostWith('');
    const digits = `0.${'1'.repeat(5_000)}`;
    for (const members of [`,"chat_template_kwargs":{"a":"${LONG_TEXT}"}`, `,"top_p":${digits}`])
      expect((await mostWith(members)) - bare).toBe(members.length);
    expect(await mostWith(`,"prediction":{"type":"content","content":"${LONG_TEXT}"}`)).toBe(bare);
  });

  it('is given anew to a batch that is known and unfinished, and stays where nothing is said of it', async () => {
    const budgets: (number | null)[] = [];
    const knowingWith = (maxCostNanoDollars: number | null) =>
      setUp(
        {
          findByIdentity: async () => aBatch({ id: 4, maxCostNanoDollars }),
          setMaxCost: async (_batchId, budget) => void budgets.push(budget),
        },
        { routing },
      );
    expect((await knowingWith(5).take({ maxCostNanoDollars: 7 })).batch.maxCostNanoDollars).toBe(7);
    expect((await knowingWith(5).take({ maxCostNanoDollars: 5 })).batch.maxCostNanoDollars).toBe(5);
    expect((await knowingWith(5).take({ pool: 'dear' })).batch.maxCostNanoDollars).toBe(5);
    expect(budgets).toEqual([7]);
    const tooLate = { ...NOTHING_ASKED, deadline: '2020-01-01T07:00' };
    const refused = await refusalOf(knowingWith(5).take({ maxCostNanoDollars: 9, terms: tooLate }));
    expect([refused.message, budgets]).toEqual([expect.stringContaining('which has passed'), [7]]);
    expect((await refusalOf(knowingWith(null).take({ pool: 'dear' }))).message).toMatch(
      /^Expected --max-cost/u,
    );
  });
});
