/** What the client says when the service is away, wants a token, or is something else. */
import { createServer, type RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { batchesOver } from '../../../src/adapters/http/batches-client.ts';
import { BatchRefused, type BatchInput, type Batches } from '../../../src/app/batches.ts';
import { documents, inputOf, submissionTo } from '../../contracts/batches-under-test.ts';
import { fakeBatches } from './fake-batches.ts';
import { FAKE_POOL } from './fake-lane.ts';
import { eventually, serving, TOKEN } from './serving.ts';

let cleanUp: AsyncDisposableStack = new AsyncDisposableStack();

afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

const serve = async (changes: Parameters<typeof serving>[0] = {}): Promise<string> =>
  cleanUp.use(await serving(changes)).url;

/** A server that is not Nightshift. */
const serveStranger = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  cleanUp.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
};

const submit = async (batches: Batches, input: BatchInput, signal = new AbortController().signal) =>
  await batches.submit(submissionTo(FAKE_POOL), input, () => {}, signal);

/** What each method ends with, by its name. */
const outcomes = async (batches: Batches): Promise<readonly unknown[]> => {
  const calls = [
    batches.list({ atMost: 5, beforeId: null }),
    batches.status('docs'),
    Array.fromAsync(batches.results('docs', { order: 'input', only: 'all' })),
    batches.cancel('docs'),
    batches.pause('docs'),
    batches.resume('docs'),
    batches.retry('docs', { pool: null }),
    batches.laneTotals('docs'),
    batches.lanes(),
    batches.pauseLane('alpha/small'),
    batches.resumeLane('alpha/small'),
    submit(batches, inputOf(documents('a'))),
  ];
  return (await Promise.allSettled(calls)).map((call) =>
    call.status === 'rejected' ? call.reason : call.value,
  );
};

/** That every method is refused so, without the token in any message. */
const everyRefused = (kind: BatchRefused['kind'], message: RegExp): unknown =>
  expect.toSatisfy((all: readonly unknown[]) =>
    all.every(
      (outcome) =>
        outcome instanceof BatchRefused &&
        outcome.kind === kind &&
        message.test(outcome.message) &&
        !String(outcome).includes(TOKEN),
    ),
  );

/** A service that fails. */
const fail = async (): Promise<never> => {
  throw new Error('secret');
};

const large = (): BatchInput => inputOf(documents('a').repeat(100_000));

describe('batchesOver', () => {
  it('says that nobody answers', async () => {
    const served = await serving();
    await served[Symbol.asyncDispose]();
    const batches = batchesOver({ url: served.url, token: TOKEN });
    expect(await outcomes(batches)).toEqual(
      everyRefused('unready', /ECONNREFUSED.*`nightshift up`.*NIGHTSHIFT_URL/u),
    );
  });

  it('says that a token is wanted', async () => {
    const batches = batchesOver({ url: await serve({ token: TOKEN }), token: null });
    expect(await outcomes(batches)).toEqual(everyRefused('invalid', /got none\. Set NIGHTSHIFT_API_TOKEN/u));
  });

  it('says that the token is another one, and repeats neither', async () => {
    const batches = batchesOver({ url: await serve({ token: `${TOKEN}-of-today` }), token: TOKEN });
    expect(await outcomes(batches)).toEqual(
      everyRefused('invalid', /got another one\. Set NIGHTSHIFT_API_TOKEN/u),
    );
  });

  it('says that a large upload lacks the token, too', async () => {
    const batches = batchesOver({ url: await serve({ token: TOKEN }), token: null });
    await expect(submit(batches, large())).rejects.toThrow('NIGHTSHIFT_API_TOKEN');
  });

  it.each<[string, RequestListener]>([
    ['a page', (_, response) => response.setHeader('content-type', 'text/html').end('<h1>It works!</h1>')],
    [
      'other JSON',
      (_, response) => response.setHeader('content-type', 'application/json').end('{"ok":true}'),
    ],
    ['nothing', (_, response) => response.end()],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'https://example.com/' }).end()],
    [
      'an error page',
      (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>?</h1>'),
    ],
    ['a teapot', (_, response) => response.writeHead(418).end('{"error":"teapot"}')],
  ])('says that %s is not what Nightshift answers', async (_, listener) => {
    const batches = batchesOver({ url: await serveStranger(listener), token: TOKEN });
    expect(await outcomes(batches)).toEqual(everyRefused('invalid', /NIGHTSHIFT_URL/u));
  });

  it('names the member that a reply lacks', async () => {
    const url = await serveStranger((_, response) => response.end('{"batches":[{"id":1}]}'));
    const list = batchesOver({ url, token: null }).list({ atMost: 5, beforeId: null });
    await expect(list).rejects.toThrow('batches.0.identity');
  });

  it('says that a proxy found nobody behind it', async () => {
    const url = await serveStranger((_, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
    expect(await outcomes(batchesOver({ url, token: TOKEN }))).toEqual(
      everyRefused('unready', /status 502 from a proxy/u),
    );
  });

  it('says that the record is away for a moment, and finds it when it is back', async () => {
    const fake = fakeBatches();
    await submit(fake, inputOf(documents('a')));
    let asked = 0;
    const status: Batches['status'] = async (ref) => {
      asked += 1;
      if (asked === 1) throw new Error('Connection terminated unexpectedly');
      return await fake.status(ref);
    };
    const batches = batchesOver({ url: await serve({ batches: { ...fake, status } }), token: null });
    await expect(batches.status('id:1')).rejects.toMatchObject({
      kind: 'unready',
      message: expect.stringContaining('away for a moment'),
    });
    expect((await batches.status('id:1')).progress.batch.id).toBe(1);
  });

  it('says that an answer broke off', async () => {
    const url = await serveStranger((_, response) => {
      response.setHeader('content-type', 'application/jsonl').write('{"batches"');
      setImmediate(() => response.destroy());
    });
    expect(await outcomes(batchesOver({ url, token: null }))).toEqual(
      everyRefused('unready', /broke off|no answer/u),
    );
  });

  it('throws what is no refusal where the service fails, with the id to look for', async () => {
    const url = await serve({ batches: { ...fakeBatches(), lanes: fail } });
    const error: unknown = await batchesOver({ url, token: null })
      .lanes()
      .catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(BatchRefused);
    expect(String(error)).toMatch(/Its log says more: look for [\da-f-]{36}/u);
  });

  it('says that a prompt is too long for an address', async () => {
    const batches = batchesOver({ url: await serve(), token: null });
    const task = { prompt: `{{text}}${'ü'.repeat(100_000)}` };
    const submitted = batches.submit(
      submissionTo(FAKE_POOL, { task }),
      inputOf(documents('a')),
      () => {},
      new AbortController().signal,
    );
    await expect(submitted).rejects.toThrow('Shorten the prompt');
  });

  it.each([
    '',
    'night.example',
    'ftp://night.example',
    `http://user:${TOKEN}@night.example`,
    'http://x/?a=b',
  ])('refuses the address %j without repeating it', (url) => {
    const open = (): Batches => batchesOver({ url, token: null });
    expect(open).toThrow(BatchRefused);
    expect(open).toThrow(/^Expected NIGHTSHIFT_URL to be an address such as (?!.*staple)/u);
  });

  it.each(['short', `${TOKEN}\nx`, `${TOKEN}ü`])('refuses the token %j without repeating it', (token) => {
    const open = (): Batches => batchesOver({ url: 'http://127.0.0.1:1', token });
    expect(open).toThrow(BatchRefused);
    expect(open).toThrow(/^Expected NIGHTSHIFT_API_TOKEN (?!.*staple)/u);
  });

  it('reaches a service below a path', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serveStranger((request, response) => {
      asked.push(request.url);
      response.end('{"lanes":[]}');
    });
    expect(await batchesOver({ url: `${url}/night`, token: null }).lanes()).toEqual([]);
    expect(asked).toEqual(['/night/api/lanes']);
  });

  it('keeps what a newer service says beyond the known', async () => {
    const url = await serveStranger((_, response) =>
      response.end('{"batch":{},"lines":1,"lanes":[],"more":true}'),
    );
    expect(await batchesOver({ url, token: null }).lanes()).toEqual([]);
  });
});

describe('the forecast of a batch over HTTP', () => {
  const forecast = {
    madeAtMs: 1_795_158_000_000,
    finishAtMs: 1_795_160_000_000,
    spreadMs: 60_000,
    next: { scope: 'gemini', atMs: 1_795_159_000_000 },
  };

  it('arrives as the service has it', async () => {
    const fake = fakeBatches();
    const status: Batches['status'] = async (ref) => {
      const found = await fake.status(ref);
      return { ...found, progress: { ...found.progress, forecast } };
    };
    const client = batchesOver({ url: await serve({ batches: { ...fake, status } }), token: null });
    await submit(client, inputOf(documents('a')));
    expect((await client.status('docs')).progress.forecast).toEqual(forecast);
  });
});

describe('an upload of the client', () => {
  it('counts bytes and lines as they go', async () => {
    const batches = batchesOver({ url: await serve(), token: null });
    const input = inputOf(documents('a', 'b', 'c'));
    const told: unknown[] = [];
    await batches.submit(
      submissionTo(FAKE_POOL),
      input,
      (status) => told.push(status),
      new AbortController().signal,
    );
    expect(told).toEqual([{ lines: 3, bytesRead: input.byteLength, bytes: input.byteLength }]);
  });

  it('is read no faster than it is taken', async () => {
    let sent = 0;
    const raw = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(65_536, 'x');
      }
    };
    const url = await serveStranger((request) => request.pause());
    const controller = new AbortController();
    const batches = batchesOver({ url, token: null });
    const submitted = submit(batches, { ...inputOf(documents('a')), raw }, controller.signal);
    let before = -1;
    await eventually(async () => {
      const isStill = sent === before;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isStill && before > 0;
    });
    expect(sent * 65_536).toBeLessThan(20_000_000);
    controller.abort(new Error('Enough.'));
    await expect(submitted).rejects.toThrow('Enough.');
  });

  it('ends with what was wrong with its input', async () => {
    const fault = new Error('Expected docs.jsonl to stay as it is while it is read, got other content.');
    const raw = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(documents('a'));
      throw fault;
    };
    const url = await serve({ batches: { ...fakeBatches(), submit: fail } });
    const input = { ...inputOf(documents('a')), raw };
    await expect(submit(batchesOver({ url, token: null }), input)).rejects.toBe(fault);
  });

  it('lets go of its input when it is refused early', async () => {
    let isLetGo = false;
    const raw = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536, 'x');
      } finally {
        isLetGo = true;
      }
    };
    const batches = batchesOver({ url: await serve({ token: TOKEN }), token: null });
    await expect(submit(batches, { ...inputOf(documents('a')), raw })).rejects.toThrow(
      'NIGHTSHIFT_API_TOKEN',
    );
    expect(isLetGo).toBe(true);
  });

  it('is broken off by its signal, whatever it waits for', async () => {
    const begun = Promise.withResolvers<void>();
    const submitForever: Batches['submit'] = async (_submission, _input, _tell, signal) => {
      begun.resolve();
      return await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    };
    const url = await serve({ batches: { ...fakeBatches(), submit: submitForever } });
    const controller = new AbortController();
    const submitted = submit(batchesOver({ url, token: null }), inputOf(documents('a')), controller.signal);
    await begun.promise;
    controller.abort(new Error('Ctrl-C'));
    await expect(submitted).rejects.toThrow('Ctrl-C');
  });
});
