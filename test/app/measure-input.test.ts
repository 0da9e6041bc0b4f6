import { describe, expect, it } from 'vitest';
import { readLines } from '../../src/adapters/files/read-lines.ts';
import { BatchRefused } from '../../src/app/batches.ts';
import { type MeasuredInput, measureInput, type Question } from '../../src/app/measure-input.ts';
import { inputOf } from '../contracts/batches-under-test.ts';
import { fakeTokenizer } from './fake-tokenizer.ts';
import { aLane, aProvider, batchLine, routingFor } from './fakes.ts';

const ROUTING = routingFor(
  [
    aProvider([aLane('alpha/small')]),
    aProvider([aLane('beta/large', { contextTokens: 100_000 })], { trainsOnData: true }),
  ],
  [
    { name: 'small', laneIds: ['alpha/small'] },
    { name: 'large', laneIds: ['beta/large', 'alpha/small'] },
  ],
);

const measure = async (lines: readonly string[], question: Partial<Question> = {}): Promise<MeasuredInput> =>
  await measureInput(
    {
      routing: ROUTING,
      readLines,
      tokenizer: fakeTokenizer,
      sha256: (text) => text,
      knownNames: [],
    },
    {
      task: { name: 'summarize' },
      pool: null,
      policy: null,
      limit: null,
      identityName: null,
      maxCostNanoDollars: null,
      ...question,
    },
    inputOf(lines.map((line) => `${line}\n`).join('')),
    { tell: () => {}, signal: new AbortController().signal },
  );

const document = (id: string, characters = 400): string =>
  JSON.stringify({ id, text: 'a'.repeat(characters) });

/** A line that asks for a model. */
const request = (id: string, model: string) =>
  batchLine({ model, messages: [{ role: 'user', content: 'Say yes.' }] }, id);

const countIn = (cells: MeasuredInput['cells'], name: string): number =>
  (cells.get(name) ?? []).reduce((sum, { count }) => sum + count, 0);

describe('measuring an input', () => {
  it('counts the lines that can run by the name they are routed by', async () => {
    const { cells, good } = await measure(
      [request('a', 'small'), request('b', 'large'), request('c', 'large')],
      { task: null },
    );
    expect([countIn(cells, 'small'), countIn(cells, 'large'), good]).toEqual([1, 2, 3]);
  });

  it('counts bad lines with their reasons, and of equal ids all but the first', async () => {
    const { good, bad, cells } = await measure([document('a'), 'oops', document('b'), document('a')]);
    expect(good).toBe(2);
    expect(countIn(cells, 'small')).toBe(2);
    expect(bad.count).toBe(2);
    expect(bad.first).toEqual([
      expect.stringMatching(/^line 2: invalid_json_line: /u),
      expect.stringMatching(/^line 4: duplicate_custom_id: /u),
    ]);
  });

  it('keeps apart what is too long for every lane of its pool', async () => {
    const { good, bad, tooLarge } = await measure([document('a'), document('b', 60_000)]);
    expect([good, bad.count]).toEqual([1, 1]);
    const [cell] = tooLarge.get('small') ?? [];
    expect(cell?.count).toBe(1);
    expect(cell?.toTokens).toBeGreaterThan(15_000);
  });

  it('reads no further than the limit', async () => {
    const { good } = await measure([document('a'), document('b'), document('c')], { limit: 2 });
    expect(good).toBe(2);
  });

  it('knows an input by what a batch of it would be known by', async () => {
    const [first, again, other] = [
      await measure([document('a')]),
      await measure([document('a')]),
      await measure([document('a')], { pool: 'large' }),
    ];
    expect(again.identity).toBe(first.identity);
    expect(other.identity).not.toBe(first.identity);
  });

  it.for([
    ['an input without a good line', ['oops'], {}],
    ['a pool that is none', [document('a')], { pool: 'smal' }],
    [
      'a policy that leaves no lane',
      [document('a')],
      {
        pool: 'small',
        policy: { forbidsTraining: false, regions: [], only: ['beta'], except: [] },
      },
    ],
  ] as const)('refuses %s', async ([, lines, question]) => {
    await expect(measure(lines, question)).rejects.toBeInstanceOf(BatchRefused);
  });
});
