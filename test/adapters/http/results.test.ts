/** Results over HTTP: streamed at the reader's pace, and never cut short without the reader noticing. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { batchesOver } from '../../../src/adapters/http/batches-client.ts';
import { BatchRefused, type Batches } from '../../../src/app/batches.ts';
import type { FinalLine } from '../../../src/app/batch-store.ts';
import { fakeBatches } from './fake-batches.ts';
import { ask, eventually, type Serving, serving } from './serving.ts';

let served: Serving | null = null;

afterEach(async () => {
  await served?.[Symbol.asyncDispose]();
  served = null;
});

const serve = async (results: Batches['results']): Promise<Serving> => {
  served = await serving({ batches: { ...fakeBatches(), results } });
  return served;
};

const LINE: FinalLine = {
  succeeded: true,
  line: JSON.stringify({
    custom_id: 'a',
    error: null,
    text: 'x'.repeat(1_000),
    nightshift: { attempts: [{ outcome: 'succeeded' }] },
  }),
};
const PAGE: readonly FinalLine[] = Array.from({ length: 100 }, () => LINE);
const PAGE_BYTES = PAGE.length * (LINE.line.length + 1);

/** Pages without end, counted, and whether whoever reads them has left. */
const endless = () => {
  const told = { pages: 0, isLeft: false };
  const results = async function* (): AsyncGenerator<readonly FinalLine[]> {
    try {
      for (;;) {
        told.pages += 1;
        yield PAGE;
      }
    } finally {
      told.isLeft = true;
    }
  };
  return { told, results };
};

const ALL = { order: 'input', only: 'all' } as const;

describe('GET /api/batches/:ref/results', () => {
  it('has one line after the other, and nothing else', async () => {
    const { url } = await serve(async function* () {
      yield [];
      yield [LINE, LINE];
      yield [LINE];
    });
    const { status, headers, body } = await ask(`${url}/api/batches/docs/results`);
    expect([status, headers['content-type']]).toEqual([200, 'application/jsonl']);
    expect(body).toBe(`${LINE.line}\n`.repeat(3));
  });

  it('is in order of completion, and everything, unless asked otherwise', async () => {
    const asked: unknown[] = [];
    const { url } = await serve(async function* (...question) {
      asked.push(question);
      yield [];
    });
    await ask(`${url}/api/batches/docs/results`);
    await ask(`${url}/api/batches/a%2Fb/results?order=input&only=others`);
    expect(asked).toEqual([
      ['docs', { order: 'completion', only: 'all' }],
      ['a/b', { order: 'input', only: 'others' }],
    ]);
  });

  it.each(['order=random', 'only=failed', 'order=', 'limit=5'])('refuses the query %s', async (query) => {
    const { url } = await serve(endless().results);
    expect((await ask(`${url}/api/batches/docs/results?${query}`)).status).toBe(400);
  });

  it('reads nothing for a HEAD but what says whether there is such a batch', async () => {
    const { told, results } = endless();
    const { url } = await serve(results);
    const { status, body } = await ask(`${url}/api/batches/docs/results`, { method: 'HEAD' });
    expect([status, body, told]).toEqual([200, '', { pages: 1, isLeft: true }]);
  });

  it('waits for a slow reader, and stops when it goes away', async () => {
    const { told, results } = endless();
    const { service, entries } = await serve(results);
    const socket = connect(service.port, '127.0.0.1');
    socket.pause();
    socket.write('GET /api/batches/docs/results HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let before = -1;
    await eventually(async () => {
      const isStill = told.pages === before;
      before = told.pages;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isStill && before > 1;
    });
    expect(told.pages * PAGE_BYTES).toBeLessThan(20_000_000);
    socket.destroy();
    await eventually(() => told.isLeft);
    expect(entries).toEqual([]);
  });

  it('answers with an error what goes wrong before the first line', async () => {
    const { url, entries } = await serve(() => {
      throw new Error('secret detail');
    });
    const { status, body } = await ask(`${url}/api/batches/docs/results`);
    expect([status, entries.length]).toEqual([500, 1]);
    expect(body).not.toContain('secret detail');
  });

  it('breaks the connection off when something goes wrong later, and logs why', async () => {
    const { url, entries } = await serve(async function* () {
      yield PAGE;
      throw new Error('The record is gone.');
    });
    await expect(ask(`${url}/api/batches/docs/results`)).rejects.toThrow('aborted');
    await eventually(() => entries.length === 1);
    expect(entries[0]).toMatchObject({ level: 'error', event: 'request.faulted' });
  });
});

describe('results of the client', () => {
  it('are read at the pace of whoever reads them', async () => {
    const { told, results } = endless();
    const { url } = await serve(results);
    let pages = 0;
    for await (const page of batchesOver({ url, token: null }).results('docs', ALL)) {
      expect(page.every(({ succeeded }) => succeeded)).toBe(true);
      pages += 1;
      if (pages === 5) break;
    }
    await eventually(() => told.isLeft);
    expect(told.pages * PAGE_BYTES).toBeLessThan(20_000_000);
  });

  it('are whole lines, however they were cut on the way', async () => {
    const long = { ...LINE, line: LINE.line.replace('"x', `"${'ü€😀\u2028'.repeat(200_000)}x`) };
    const { url } = await serve(async function* () {
      yield [LINE, long];
      yield [long, LINE];
    });
    const pages = await Array.fromAsync(batchesOver({ url, token: null }).results('docs', ALL));
    expect(pages.flat().map(({ line }) => line)).toEqual([LINE, long, long, LINE].map(({ line }) => line));
  });

  it('end with a refusal where the connection breaks off', async () => {
    const { url } = await serve(async function* () {
      yield PAGE;
      throw new Error('The record is gone.');
    });
    const seen: FinalLine[] = [];
    const read = async (): Promise<void> => {
      for await (const page of batchesOver({ url, token: null }).results('docs', ALL)) seen.push(...page);
    };
    const error: unknown = await read().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BatchRefused);
    expect(error).toMatchObject({ kind: 'unready', message: expect.stringContaining('broke off') });
  });
});
