/** Uploads: what is refused before a byte is read, what the disk holds meanwhile, and clients that go away. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BatchInput, Batches, Submission } from '../../../src/app/batches.ts';
import { documents } from '../../contracts/batches-under-test.ts';
import { fakeBatches } from './fake-batches.ts';
import { ask, eventually, type Serving, serving, TOKEN } from './serving.ts';

let served: Serving | null = null;

afterEach(async () => {
  await served?.[Symbol.asyncDispose]();
  served = null;
});

type Submit = Batches['submit'];

/** Serves the fake with another `submit`. */
const serve = async (submit?: Submit, token: string | null = null): Promise<Serving> => {
  served = await serving({
    token,
    batches: { ...fakeBatches(), ...(submit === undefined ? {} : { submit }) },
  });
  return served;
};

const unreachable: Submit = async () => {
  throw new Error('Expected nothing to be submitted.');
};

/** What a submission was, and the bytes of its input. */
const recording = () => {
  const seen: { submission: Submission; input: BatchInput; text: string }[] = [];
  const submit: Submit = async (submission, input, tell, signal) => {
    const text = Buffer.concat(await Array.fromAsync(input.open())).toString('utf8');
    seen.push({ submission, input, text });
    return await fakeBatches().submit(submission, input, tell, signal);
  };
  return { seen, submit };
};

const post = async (
  url: string,
  query: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
) => {
  const response = await fetch(`${url}/api/batches?${query}`, { method: 'POST', headers, body });
  const reply: unknown = await response.json();
  return { status: response.status, reply };
};

/** Files of this process that lie in a directory, or did until their names were removed. */
const openFilesIn = async (directory: string): Promise<readonly string[]> => {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    names.map(async (name) => await readlink(`/proc/self/fd/${name}`).catch(() => '')),
  );
  return targets.filter((target) => target.startsWith(directory));
};

/** The names left in a spool directory, once nothing in it is open any more. */
const namesLeftIn = async ({ spoolDirectory }: Serving): Promise<readonly string[]> => {
  await eventually(async () => (await openFilesIn(spoolDirectory)).length === 0);
  return await readdir(spoolDirectory);
};

describe('POST /api/batches', () => {
  it('answers 201 for a new batch and 200 for one that is known', async () => {
    const { url } = await serve();
    const first = await post(url, 'name=docs&task=summarize', documents('a', 'b'));
    expect(first).toMatchObject({
      status: 201,
      reply: { isKnown: false, batch: { name: 'docs', total: 2 }, reasons: { first: [], count: 0 } },
    });
    expect(await post(url, 'name=docs&task=summarize', documents('a', 'b'))).toMatchObject({
      status: 200,
      reply: { isKnown: true },
    });
  });

  it('hands everything on that the query says', async () => {
    const { seen, submit } = recording();
    const { url } = await serve(submit);
    const query = new URLSearchParams({
      name: 'docs & more',
      prompt: 'Say {{text}} – 100 %\n+ "twice"',
      field: 'meta.body',
      max_output_tokens: '77',
      pool: 'big',
      no_training: 'true',
      region: 'eu, CH',
      only: 'alpha,alpha/small',
      except: 'beta',
      max_cost: '2.50',
      between: '22:00-07:00',
      priority: '-7',
      deadline: '8 h',
      time_zone: 'Asia/Tokyo',
      limit: '20',
      fresh: 'true',
      identity_name: 'stdin',
      output_path: '/out put.jsonl',
      error_path: '/errors.jsonl',
    });
    await post(url, query.toString(), documents('a'));
    expect(seen[0]?.submission).toEqual({
      name: 'docs & more',
      task: { prompt: 'Say {{text}} – 100 %\n+ "twice"', textField: 'meta.body', maxOutputTokens: 77 },
      pool: 'big',
      policy: {
        forbidsTraining: true,
        regions: ['CH', 'EU'],
        only: ['alpha', 'alpha/small'],
        except: ['beta'],
      },
      maxCostNanoDollars: 2_500_000_000,
      terms: { between: '22:00-07:00', priority: -7, deadline: '8 h', timeZone: 'Asia/Tokyo' },
      limit: 20,
      fresh: true,
      identityName: 'stdin',
      outputPath: '/out put.jsonl',
      errorPath: '/errors.jsonl',
    });
  });

  it('refuses a priority that is no number, by the name of the parameter', async () => {
    const { url } = await serve(recording().submit);
    const { status, reply } = await post(url, 'name=docs&priority=high', documents('a'));
    expect(status).toBe(400);
    expect(JSON.stringify(reply)).toContain('`priority` to be a whole number');
  });

  it('takes what is not in the query as not said', async () => {
    const { seen, submit } = recording();
    const { url } = await serve(submit);
    await post(url, 'name=docs', documents('a'));
    expect(seen[0]?.submission).toEqual({
      name: 'docs',
      task: null,
      pool: null,
      policy: null,
      maxCostNanoDollars: null,
      terms: {
        between: null,
        priority: null,
        deadline: null,
        timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
      },
      limit: null,
      fresh: false,
      identityName: null,
      outputPath: null,
      errorPath: null,
    });
  });

  it('counts as told what its answer tells, once the answer is out', async () => {
    const told: string[] = [];
    const markTold: Batches['markTold'] = async (notices) => void told.push(...notices);
    served = await serving({ batches: { ...fakeBatches(), markTold } });
    const { reply } = await post(served.url, 'name=docs&task=summarize', documents('a'));
    expect(reply).toMatchObject({ notices: [expect.stringContaining('--except alpha')] });
    await eventually(() => told.length > 0);
    expect(told).toEqual([expect.stringContaining('--except alpha')]);
  });

  it('counts nothing as told to a client that went away before it was answered', async () => {
    const told: string[] = [];
    const left = Promise.withResolvers<void>();
    const submitted = Promise.withResolvers<void>();
    const fake = fakeBatches();
    served = await serving({
      batches: {
        ...fake,
        markTold: async (notices) => void told.push(...notices),
        async submit(submission, input, tell, signal) {
          signal.addEventListener('abort', () => left.resolve());
          submitted.resolve();
          await left.promise;
          return await fake.submit(submission, input, tell, new AbortController().signal);
        },
      },
    });
    const controller = new AbortController();
    const { url } = served;
    const upload = fetch(`${url}/api/batches?name=docs&task=summarize`, {
      method: 'POST',
      body: documents('a'),
      signal: controller.signal,
    }).catch(() => null);
    await submitted.promise;
    controller.abort();
    await upload;
    await served[Symbol.asyncDispose]();
    served = null;
    expect((await fake.list({ atMost: 1, beforeId: null })).length).toBe(1);
    expect(told).toEqual([]);
  });

  it('hands the bytes on as they came, with their hash, whatever they are called', async () => {
    const { seen, submit } = recording();
    const { url } = await serve(submit);
    const text = documents(...Array.from({ length: 20_000 }, (_, index) => `document-${index}`));
    await post(url, 'name=docs', text, { 'content-type': 'application/x-www-form-urlencoded' });
    expect(seen[0]?.text).toBe(text);
    expect(seen[0]?.input).toMatchObject({
      hash: createHash('sha256').update(text).digest('hex'),
      byteLength: Buffer.byteLength(text),
      shownAs: "the request's body",
      isGzip: false,
    });
  });

  it('keeps a gzipped body gzipped, and unpacks it for whoever reads its lines', async () => {
    const { seen, submit } = recording();
    const { url } = await serve(submit);
    const packed = gzipSync(documents('a', 'ü'));
    expect(await post(url, 'name=docs', packed, { 'content-encoding': 'gzip' })).toMatchObject({
      status: 201,
    });
    expect(seen[0]?.text).toBe(documents('a', 'ü'));
    expect(seen[0]?.input).toMatchObject({
      hash: createHash('sha256').update(packed).digest('hex'),
      byteLength: packed.length,
      isGzip: true,
    });
  });

  it('can be read twice, at once too, and counts what was read', async () => {
    const body = randomBytes(700_000).toString('hex');
    const { url } = await serve(async (submission, input, tell, signal) => {
      const [one, two] = await Promise.all([Array.fromAsync(input.raw()), Array.fromAsync(input.raw())]);
      expect(Buffer.concat(one).equals(Buffer.concat(two))).toBe(true);
      expect(Buffer.concat(one).toString()).toBe(body);
      expect(input.bytesRead()).toBe(input.byteLength);
      return await fakeBatches().submit(submission, { ...input, open: () => oneDocument() }, tell, signal);
    });
    expect(await post(url, 'name=docs', body)).toMatchObject({ status: 201 });
  });

  it('refuses a body that is not gzip although it says so', async () => {
    const { url } = await serve();
    for (const body of [Buffer.from('{"id":"a"}'), gzipSync(randomBytes(9_999)).subarray(0, 5_000)]) {
      const { status, reply } = await post(url, 'name=docs', body, { 'content-encoding': 'gzip' });
      expect([status, reply]).toMatchObject([
        422,
        { error: { code: 'invalid', message: expect.stringMatching(/gzip/u) } },
      ]);
    }
  });

  it('refuses an empty body', async () => {
    const { url } = await serve(unreachable);
    expect(await post(url, 'name=docs', '')).toMatchObject({
      status: 422,
      reply: { error: { code: 'invalid' } },
    });
  });

  it('refuses other encodings', async () => {
    const { url } = await serve(unreachable);
    expect(await post(url, 'name=docs', 'x', { 'content-encoding': 'br' })).toMatchObject({ status: 415 });
  });

  it.each<[string, string]>([
    ['', 'name'],
    ['name=', 'name'],
    ['name=a&name=b', 'name'],
    ['name=a&limit=0', 'limit'],
    ['name=a&limit=1.5', 'limit'],
    ['name=a&limit=', 'limit'],
    ['name=a&limit=99999999999999999999', 'limit'],
    ['name=a&task=summarize&max_output_tokens=many', 'max_output_tokens'],
    ['name=a&max_output_tokens=5', 'max_output_tokens'],
    ['name=a&field=text', 'field'],
    ['name=a&fresh=yes', 'fresh'],
    ['name=a&max_cost=0', 'max_cost'],
    ['name=a&max_cost=-2', 'max_cost'],
    ['name=a&max_cost=2.5e0', 'max_cost'],
    ['name=a&max_cost=', 'max_cost'],
    ['name=a&no_training=1', 'no_training'],
    ['name=a&region=', 'region'],
    ['name=a&only=groq,', 'only'],
    ['name=a&except=a&except=b', 'except'],
    ['name=a&exept=a', 'except'],
    ['name=a&maxOutputTokens=5', 'max_output_tokens'],
    ['name=a&poool=x', 'pool'],
  ])('refuses the query %j by the name of %s', async (query, parameter) => {
    const { url } = await serve(unreachable);
    const { status, reply } = await post(url, query, documents('a'));
    expect(status).toBe(400);
    expect(reply).toMatchObject({
      error: { code: 'bad_query', message: expect.stringContaining(`\`${parameter}\``) },
    });
  });

  it('takes a prompt of 200 kB', async () => {
    const { seen, submit } = recording();
    const { url } = await serve(submit);
    const prompt = `{{text}} ${'x'.repeat(200_000)}`;
    expect(
      await post(url, new URLSearchParams({ name: 'docs', prompt }).toString(), documents('a')),
    ).toMatchObject({
      status: 201,
    });
    expect(seen[0]?.submission.task?.prompt).toBe(prompt);
  });

  it('tells a client to go on only once the token was looked at', async () => {
    const { url } = await serve(undefined, TOKEN);
    const upload = async (headers: Record<string, string>) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ wasContinued: boolean; status: number }>();
      let wasContinued = false;
      const sent = request(`${url}/api/batches?name=docs&task=summarize`, {
        method: 'POST',
        agent: false,
        headers: { ...headers, expect: '100-continue', 'content-length': String(documents('a').length) },
      });
      sent.on('continue', () => {
        wasContinued = true;
        sent.end(documents('a'));
      });
      sent.on('response', (response) => {
        response.resume();
        resolve({ wasContinued, status: response.statusCode ?? 0 });
        sent.destroy();
      });
      sent.on('error', reject);
      sent.flushHeaders();
      return await promise;
    };
    expect(await upload({})).toEqual({ wasContinued: false, status: 401 });
    expect(await upload({ authorization: `Bearer ${TOKEN}` })).toEqual({ wasContinued: true, status: 201 });
  });
});

describe('a batch that takes long to be taken in', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives signs of life, so that nobody on the way takes the silence for death', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const sign = Promise.withResolvers<number>();
    const { url } = await serve(async (...parts) => {
      vi.advanceTimersByTime(20_000);
      expect(await sign.promise).toBe(102);
      return await fakeBatches().submit(...parts);
    });
    const sent = request(`${url}/api/batches?name=docs&task=summarize`, { method: 'POST', agent: false });
    sent.on('information', ({ statusCode }) => sign.resolve(statusCode));
    sent.end(documents('a'));
    const [response] = await once(sent, 'response');
    expect(response).toMatchObject({ statusCode: 201 });
    sent.destroy();
  });
});

describe('the file of an upload', () => {
  it('has no name for anybody to find, and is closed when the batch is in', async () => {
    let openMeanwhile = 0;
    const held = await serve(async (submission, input, tell, signal) => {
      openMeanwhile = (await openFilesIn(held.spoolDirectory)).length;
      expect(await readdir(held.spoolDirectory)).toEqual([]);
      return await fakeBatches().submit(submission, input, tell, signal);
    });
    expect(await post(held.url, 'name=docs', documents('a'))).toMatchObject({ status: 201 });
    expect(openMeanwhile).toBe(1);
    expect(await namesLeftIn(held)).toEqual([]);
  });

  it('is closed when the batch is refused, and when the service fails', async () => {
    const held = await serve(async (submission) => {
      throw submission.name === 'fault' ? new Error('broken') : new TypeError('broken too');
    });
    await post(held.url, 'name=fault', documents('a'));
    await post(held.url, 'name=docs', documents('a'));
    expect(await namesLeftIn(held)).toEqual([]);
  });

  it.each(['chunked', 'of a known length'])(
    'is gone when the client goes away in the middle of an upload %s, and nothing is submitted',
    async (form) => {
      const held = await serve(unreachable);
      const socket = connect(held.service.port, '127.0.0.1');
      const head = form === 'chunked' ? 'Transfer-Encoding: chunked' : 'Content-Length: 1000000';
      const part = 'x'.repeat(1_000);
      socket.write(`POST /api/batches?name=docs HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
      socket.write(form === 'chunked' ? `${part.length.toString(16)}\r\n${part}\r\n` : part);
      await eventually(async () => (await openFilesIn(held.spoolDirectory)).length === 1);
      socket.destroy();
      expect(await namesLeftIn(held)).toEqual([]);
      expect(held.entries).toEqual([]);
    },
  );

  it('is gone when the client goes away while the batch is taken in, which is told to stop', async () => {
    const begun = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const held = await serve(async (_submission, _input, _tell, signal) => {
      begun.resolve();
      return await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stopped.resolve();
          reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        });
      });
    });
    const controller = new AbortController();
    const upload = fetch(`${held.url}/api/batches?name=docs`, {
      method: 'POST',
      body: documents('a'),
      signal: controller.signal,
    }).catch(() => null);
    await begun.promise;
    controller.abort();
    await Promise.all([upload, stopped.promise]);
    expect(await namesLeftIn(held)).toEqual([]);
    expect(held.entries).toEqual([]);
  });

  it('holds an upload of 200 MB that the memory does not', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    const collectGarbage = garbageCollector();
    const heldMegabytes: number[] = [];
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < 200; sent += 1) {
        if (sent % 20 === 0) {
          collectGarbage();
          heldMegabytes.push(process.memoryUsage().arrayBuffers / megabyte.length);
        }
        yield megabyte;
      }
    };
    const { url } = await serve(async (submission, input, tell, signal) => {
      expect(input.byteLength).toBe(200 * megabyte.length);
      return await fakeBatches().submit(submission, { ...input, open: () => oneDocument() }, tell, signal);
    });
    const response = await fetch(`${url}/api/batches?name=large`, {
      method: 'POST',
      body: ReadableStream.from(bytes()),
      duplex: 'half',
    });
    expect(response.status).toBe(201);
    expect(Math.max(...heldMegabytes) - Math.min(...heldMegabytes)).toBeLessThan(40);
  });
});

/** What is garbage must not count as held. */
const garbageCollector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('Expected a garbage collector, got none.');
  return () => void Reflect.apply(collect, undefined, []);
};

async function* oneDocument(): AsyncGenerator<Buffer> {
  yield Buffer.from(documents('a'));
}

describe('an upload that is refused', () => {
  it('is answered before it was sent, and the answer arrives', async () => {
    const { url } = await serve(unreachable, TOKEN);
    const answer = await ask(`${url}/api/batches?name=docs`, { method: 'POST', body: 'x'.repeat(5_000_000) });
    expect(answer.status).toBe(401);
  });
});
