/** What providers and the network may send back, and what the caller is told of it. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { callTo, callToNobody, callToSocket } from './serving.ts';

const MOST_BYTES = 8 * 1024 * 1024;
const TEXT = '{"text":"Grüße, 日本 and 🌙"}';
/** Long enough for a call to begin, short enough to wait for. */
const SOON_MS = 100;

/** An answer as it goes over the wire, of known length unless its headers say otherwise. */
const answer = (status: string, headers: readonly string[] = [], body = ''): string =>
  [
    `HTTP/1.1 ${status}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...headers,
    '',
    body,
  ].join('\r\n');

describe('the request', () => {
  it('carries the text as it is, in UTF-8 and with its length', async () => {
    const heard = Promise.withResolvers<{ readonly body: string; readonly announced: number }>();
    await callTo(
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const announced = Number(request.headers['content-length']);
          heard.resolve({ body: Buffer.concat(chunks).toString(), announced });
          response.end('{}');
        });
      },
      { content: TEXT },
    );
    const { body, announced } = await heard.promise;
    expect(JSON.parse(body)).toEqual({ model: 'small', messages: [{ role: 'user', content: TEXT }] });
    expect(announced).toBe(Buffer.byteLength(body));
  });
});

describe('an answer', () => {
  it('is read whole where its characters are split between chunks', async () => {
    const { reply } = await callTo((_, response) => {
      const rest = [...Buffer.from(TEXT)];
      const more = (): void => {
        const byte = rest.shift();
        if (byte === undefined) response.end();
        else response.write(Buffer.of(byte), () => setImmediate(more));
      };
      more();
    });
    expect(reply).toMatchObject({ kind: 'http', status: 200, bodyText: TEXT });
  });

  it('may be of 8 MiB and no longer', async () => {
    const { reply: longest } = await callTo((_, response) => void response.end('x'.repeat(MOST_BYTES)));
    expect(longest.kind === 'http' && longest.bodyText.length).toBe(MOST_BYTES);
    const { reply: longer } = await callTo((_, response) => void response.end('x'.repeat(MOST_BYTES + 1)));
    expect(longer).toMatchObject({ kind: 'transport', problem: 'unknown' });
  });

  it.each([
    ['200', 'where nobody asked for it'],
    ['429', 'in a refusal'],
  ])('is unpacked where it comes compressed, with status %s, %s', async (status) => {
    const { reply } = await callTo(
      (_, response) =>
        void response.writeHead(Number(status), { 'content-encoding': 'gzip' }).end(gzipSync(TEXT)),
    );
    expect(reply).toMatchObject({ kind: 'http', status: Number(status), bodyText: TEXT });
  });

  it('breaks off where it is small and unpacks to more than 8 MiB', async () => {
    const { reply } = await callTo(
      (_, response) =>
        void response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync('x'.repeat(MOST_BYTES + 1))),
    );
    expect(reply.kind).toBe('transport');
  });

  it.each(['204 No Content', '205 Reset Content', '304 Not Modified'])(
    'without a body is one with no text: %s',
    async (status) => {
      const reply = await callToSocket((socket) =>
        socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`),
      );
      expect(reply).toMatchObject({ kind: 'http', status: Number.parseInt(status, 10), bodyText: '' });
    },
  );

  it.each([418, 520, 599])('keeps a status that few have heard of: %i', async (status) => {
    const reply = await callToSocket((socket) => socket.end(answer(`${status} Odd`, [], '{"odd":1}')));
    expect(reply).toMatchObject({ kind: 'http', status, bodyText: expect.stringContaining('odd') });
  });

  it('is the one after the early hints', async () => {
    const reply = await callToSocket((socket) =>
      socket.end(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${answer('200 OK', [], TEXT)}`),
    );
    expect(reply).toMatchObject({ kind: 'http', status: 200, bodyText: TEXT });
  });

  it.each(['101 Switching Protocols', '999 Denied'])(
    'of a status that cannot be one is a failure of the call, once: %s',
    async (status) => {
      const reply = await callToSocket((socket) =>
        socket.end(answer(status, ['upgrade: x', 'connection: upgrade'])),
      );
      expect(reply.kind).toBe('transport');
    },
  );

  it('has headers that came twice in one, in their order', async () => {
    const reply = await callToSocket((socket) =>
      socket.end(
        answer('429 Slow Down', ['x-limit: a', 'set-cookie: c=1', 'X-Limit: b', 'set-cookie: d=2'], '{}'),
      ),
    );
    expect(reply).toMatchObject({ status: 429, headers: { 'x-limit': 'a, b' } });
  });

  it.each([
    ['in UTF-8', Buffer.from('é€🌙')],
    ['in Latin-1', Buffer.from([0xe9, 0xff])],
    ['empty', Buffer.of()],
    ['with a tab', Buffer.from('a\tb')],
  ])('keeps its status and its other headers where one has a value %s', async (_, value) => {
    const [head = '', rest = ''] = answer('429 Slow Down', ['retry-after: 7', 'x-odd: @'], '{}').split('@');
    const reply = await callToSocket((socket) =>
      socket.end(Buffer.concat([Buffer.from(head), value, Buffer.from(rest)])),
    );
    expect(reply).toMatchObject({ kind: 'http', status: 429, headers: { 'retry-after': '7' } });
  });
});

describe('a call that breaks off', () => {
  const PART = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":';

  it.each([
    ['no answer', ''],
    ['half an answer', PART],
  ])('is late after %s in its time', async (_, part) => {
    const reply = await callToSocket((socket) => void socket.write(part), { timeoutMs: SOON_MS });
    expect(reply).toMatchObject({ kind: 'transport', problem: 'timeout' });
  });

  it.each([
    ['no answer', ''],
    ['half an answer', PART],
  ])('is aborted by the end of all calls, with %s so far', async (_, part) => {
    const ending = new AbortController();
    const reply = await callToSocket(
      (socket) => void socket.write(part, () => setTimeout(() => ending.abort(), SOON_MS / 2)),
      { signal: ending.signal },
    );
    expect(reply).toMatchObject({ kind: 'transport', problem: 'aborted' });
  });

  it('is never made after the end of all calls', async () => {
    const { reply, asked } = await callTo((_, response) => void response.end('{}'), {
      signal: AbortSignal.abort(),
    });
    expect(asked).toBe(0);
    expect(reply).toMatchObject({ kind: 'transport', problem: 'aborted' });
  });

  it.each([
    ['no answer', ''],
    ['half an answer', PART],
  ])('is reset by a server that hangs up after %s, politely or not', async (_, part) => {
    const closed = await callToSocket((socket) => void socket.end(part));
    const reset = await callToSocket((socket) => void socket.write(part, () => socket.resetAndDestroy()));
    expect([closed, reset]).toMatchObject([
      { kind: 'transport', problem: 'reset' },
      { kind: 'transport', problem: 'reset' },
    ]);
  });

  it('is refused where nobody listens', async () => {
    expect(await callToNobody()).toMatchObject({ kind: 'transport', problem: 'refused' });
  });

  it('is a failure of the call where what comes is not HTTP', async () => {
    const reply = await callToSocket((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(reply.kind).toBe('transport');
  });

  it('keeps the status of a refusal whose body breaks off', async () => {
    const reply = await callToSocket(
      (socket) =>
        void socket.end('HTTP/1.1 429 Slow Down\r\nretry-after: 7\r\ncontent-length: 100\r\n\r\n{"error":'),
    );
    expect(reply).toMatchObject({ kind: 'http', status: 429, headers: { 'retry-after': '7' } });
  });
});
