import { describe, expect, it } from 'vitest';
import type { IngestRow } from '../../src/app/batch-store.ts';
import { type RawLine, type ReadingPolicy, RequestReader } from '../../src/app/read-requests.ts';
import { summarizeTask } from '../../src/core/tasks/task.ts';
import { fourCharactersAToken } from './fake-tokenizer.ts';
import { aLane, aProvider, batchLine, eachOf, routingFor } from './fakes.ts';

const ROUTING = routingFor(
  [
    aProvider([
      aLane('alpha/small', { contextTokens: 4_096, maxOutputTokens: 1_024 }),
      aLane('alpha/large', { contextTokens: 32_768, maxOutputTokens: 4_096 }),
    ]),
  ],
  [
    { name: 'all', laneIds: ['alpha/small', 'alpha/large'] },
    { name: 'small', laneIds: ['alpha/small'] },
  ],
);
const MESSAGES = [{ role: 'user', content: 'Say yes.' }];

const policy = (differences: Partial<ReadingPolicy> = {}): ReadingPolicy => ({
  task: null,
  pool: null,
  policy: null,
  maxCostNanoDollars: null,
  documentPool: 'small',
  limit: null,
  resolveModel: (name) => {
    const laneIds = ROUTING.lanesOf(name).map((lane) => lane.id);
    return laneIds.length > 0 ? { kind: 'lanes', laneIds } : { kind: 'unknown', nearest: ['small'] };
  },
  ...differences,
});

const texts = (...lines: readonly string[]): RawLine[] =>
  lines.map((text, index) => ({ kind: 'text', lineNumber: index + 1, text }));
const request = (id: string, body: object = {}): string =>
  batchLine({ model: 'all', messages: MESSAGES, ...body }, id);
const document = (id: string): string => JSON.stringify({ id, text: 'A long story.' });

const read = async (lines: readonly (readonly RawLine[])[], differences: Partial<ReadingPolicy> = {}) => {
  const reader = new RequestReader(policy(differences), ROUTING, fourCharactersAToken);
  const pages: (readonly IngestRow[])[] = [];
  for await (const rows of reader.rows(eachOf(lines))) pages.push(rows);
  return { reader, pages, rows: pages.flat() };
};

const errorOf = (row: IngestRow | undefined): unknown => {
  const line: unknown = JSON.parse(row?.line ?? 'null');
  return line;
};

describe('RequestReader', () => {
  it('takes a batch line as it came and routes it by its model', async () => {
    const line = request('a', { max_tokens: 100 });
    const { rows, reader } = await read([texts(line)]);
    expect(rows).toMatchObject([
      {
        lineNumber: 1,
        customId: 'a',
        line,
        poolName: 'all',
        outputTokens: 104,
        outputIsAsked: true,
        state: 'pending',
      },
    ]);
    expect([reader.goodCount, reader.reasons]).toEqual([1, { first: [], count: 0 }]);
  });

  it('measures a prompt by the count of its texts and what a template adds', async () => {
    const bare = { messages: [{ role: 'user', content: '' }] };
    const short = { messages: [{ role: 'user', content: 'x'.repeat(40) }] };
    const two = { messages: [...short.messages, { role: 'assistant', content: 'x'.repeat(12) }] };
    const { rows } = await read([
      texts(...[bare, short, two].map((body, index) => request(`${index}`, body))),
    ]);
    const [template = 0, ...others] = rows.map(({ promptTokens }) => promptTokens);
    expect(template).toBeGreaterThan(0);
    expect(others).toEqual([template + 10, template + 10 + 3 + 6]);
  });

  it('reads and counts the next lines while some are used', async () => {
    const asked: string[] = [];
    async function* pages() {
      for (const id of ['a', 'b', 'c']) {
        asked.push(id);
        yield texts(request(id));
      }
    }
    const rows = new RequestReader(policy(), ROUTING, fourCharactersAToken).rows(pages());
    await rows.next();
    await expect.poll(() => asked).toEqual(['a', 'b']);
    await rows.return();
    expect(asked).toEqual(['a', 'b']);
  });

  it('reserves the default for the answer where neither line nor task bounds it', async () => {
    const { rows } = await read([texts(request('a'))]);
    expect(rows).toMatchObject([{ outputTokens: 1_024, outputIsAsked: false }]);
  });

  it('routes documents to the pool for documents, with the cap of the task', async () => {
    const { rows } = await read([texts(document('a'))], { task: summarizeTask() });
    expect(rows).toMatchObject([
      { customId: 'a', poolName: 'small', outputTokens: 320, outputIsAsked: false },
    ]);
  });

  it('routes everything to the pool that was asked for, whatever models the lines name', async () => {
    const unknownModel = request('a', { model: 'nobody-has-it' });
    const { rows } = await read([texts(unknownModel, document('b'))], { task: summarizeTask(), pool: 'all' });
    expect(rows.map(({ poolName, state }) => [poolName, state])).toEqual([
      ['all', 'pending'],
      ['all', 'pending'],
    ]);
  });

  it('ends each bad line as its own finished error line, and takes the others', async () => {
    const lines: RawLine[] = [
      { kind: 'text', lineNumber: 1, text: '{"custom_id":' },
      { kind: 'too-long', lineNumber: 2, byteLength: 5 * 1024 * 1024 },
      { kind: 'not-utf8', lineNumber: 3 },
      { kind: 'text', lineNumber: 4, text: request('d', { model: 'nobody-has-it' }) },
      { kind: 'text', lineNumber: 5, text: request('e') },
    ];
    const { rows, reader } = await read([lines]);
    expect(rows.map(({ state, customId, poolName }) => [state, customId, poolName])).toEqual([
      ['bad', null, null],
      ['bad', null, null],
      ['bad', null, null],
      ['bad', 'd', null],
      ['pending', 'e', 'all'],
    ]);
    const codes = ['invalid_json_line', 'line_too_long', 'invalid_utf8', 'model_not_found'];
    for (const [index, code] of codes.entries()) {
      expect(errorOf(rows[index])).toMatchObject({
        id: `batch_req_line_${index + 1}`,
        response: null,
        error: { code, line: index + 1 },
      });
    }
    expect(reader.reasons.count).toBe(4);
    expect(reader.reasons.first[1]).toMatch(/^line 2: line_too_long: Expected the line to be at most 4 MiB/u);
  });

  it('passes blank lines over, and counts them in the line numbers', async () => {
    const { rows, reader } = await read([texts('', request('a'), ' \t', request('b'))]);
    expect(rows.map(({ lineNumber }) => lineNumber)).toEqual([2, 4]);
    expect(reader.reasons.count).toBe(0);
  });

  it('gives as many rows at a time as there were lines', async () => {
    const { pages } = await read([texts(request('a'), request('b')), [], texts(request('c'))]);
    expect(pages.map((page) => page.length)).toEqual([2, 0, 1]);
  });

  it('reads no further than the limit, which bad and blank lines do not count against', async () => {
    const reached: string[] = [];
    async function* pages() {
      yield texts('not json', '', request('a'));
      reached.push('second page');
      yield texts(request('b'), request('c'));
      reached.push('third page');
      yield texts(request('d'));
    }
    const reader = new RequestReader(policy({ limit: 2 }), ROUTING, fourCharactersAToken);
    const ids: (string | null)[] = [];
    for await (const rows of reader.rows(pages())) ids.push(...rows.map(({ customId }) => customId));
    expect(ids).toEqual([null, 'a', 'b']);
    expect(reader.goodCount).toBe(2);
    expect(reached).toEqual(['second page']);
  });

  it('refuses what no lane of its pool can ever take, with the sizes and the way out', async () => {
    const long = request('a', { messages: [{ role: 'user', content: 'word '.repeat(40_000) }] });
    const { rows, reader } = await read([texts(long)]);
    expect(rows).toMatchObject([{ state: 'bad', customId: 'a', promptTokens: 0, outputTokens: 0 }]);
    expect(errorOf(rows[0])).toMatchObject({
      custom_id: 'a',
      error: { code: 'request_unservable', line: 1 },
    });
    expect(reader.reasons.first).toEqual([
      expect.stringMatching(
        /^line 1: request_unservable: It needs up to \d{5} prompt and 1024 output tokens; .* `all` .* 32768 together.* Shorten or split it/u,
      ),
    ]);
  });

  it('measures a request against its own pool', async () => {
    const long = { messages: [{ role: 'user', content: 'word '.repeat(5_000) }] };
    const { rows } = await read([texts(request('a', long), request('b', { ...long, model: 'small' }))]);
    expect(rows.map(({ state }) => state)).toEqual(['pending', 'bad']);
  });

  it('refuses an answer longer than any lane gives, and says how long an answer may be', async () => {
    const { reader } = await read([texts(request('a', { max_tokens: 8_192 }))]);
    expect(reader.reasons.first[0]).toMatch(
      /8192 output tokens; .* 32768 together, at most 4096 of them as output/u,
    );
  });

  it('cuts a cap of ours to the lane rather than refuse the line', async () => {
    const task = summarizeTask({ maxOutputTokens: 8_192 });
    const { rows } = await read([texts(document('a'))], { task });
    expect(rows).toMatchObject([{ state: 'pending', outputTokens: 8_192 }]);
  });

  it('shows the first ten reasons and counts them all', async () => {
    const { reader } = await read([texts(...Array.from({ length: 25 }, () => 'not json'))]);
    expect(reader.reasons.count).toBe(25);
    expect(reader.reasons.first).toHaveLength(10);
    expect(reader.reasons.first.at(-1)).toMatch(/^line 10: invalid_json_line: /u);
  });
});
