/**
 * A provider that answers every chat completion at once, in a process of its own: what is left of a call's time is the
 * caller's. It counts the calls and remembers when the first came and the last was answered.
 *
 *   POST /v1/chat/completions   the answer, always the same
 *   GET  /span                  what it counted, see {@link CallSpan}
 *   POST /reset                 forgets it
 */
import { fork } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { endOf } from './child-process.ts';

const callSpan = z.object({ calls: z.number(), firstAtMs: z.number(), lastAtMs: z.number() });
/** Calls answered since the last reset, when the first came, and when the last was answered; in milliseconds since 1970. */
export type CallSpan = z.infer<typeof callSpan>;

/** A running provider. Disposing ends its process. */
export interface InstantProvider extends AsyncDisposable {
  /** Up to `/v1`. */
  readonly baseUrl: string;
  reset(): Promise<void>;
  span(): Promise<CallSpan>;
}

/** Starts one on a free port of the loopback. */
export const startInstantProvider = async (): Promise<InstantProvider> => {
  const child = fork(fileURLToPath(import.meta.url));
  const ended = endOf(child);
  const listening = new Promise<unknown>((resolve) => void child.once('message', resolve));
  const port = z.number().parse(await Promise.race([listening, ended]));
  const url = `http://127.0.0.1:${port}`;
  return {
    baseUrl: `${url}/v1`,
    async reset() {
      await fetch(`${url}/reset`, { method: 'POST' });
    },
    span: async () => callSpan.parse(await (await fetch(`${url}/span`)).json()),
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await ended;
    },
  };
};

/** An answer of about 400 bytes, as a small model gives it. */
const ANSWER = JSON.stringify({
  id: 'chatcmpl-instant',
  object: 'chat.completion',
  created: 1_763_600_000,
  model: 'instant',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'This ticket is about a printer, and it is urgent.' },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 24, completion_tokens: 12, total_tokens: 36 },
  system_fingerprint: 'fp_instant',
});

const serve = (): void => {
  let calls = 0;
  let firstAtMs = 0;
  let lastAtMs = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (firstAtMs === 0) firstAtMs = nowMs();
    request.resume().once('end', () => {
      send(response, ANSWER);
      calls += 1;
      lastAtMs = nowMs();
    });
  };
  const reset = (): void => {
    calls = firstAtMs = lastAtMs = 0;
  };
  const server = createServer((request, response) => {
    if (request.url === '/v1/chat/completions') return answer(request, response);
    if (request.url === '/reset') reset();
    send(response, JSON.stringify({ calls, firstAtMs, lastAtMs }));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') process.send?.(address?.port);
  });
  process.once('disconnect', () => process.exit());
};

/** The wall clock in fractions of a millisecond, so that other processes can compare it with theirs. */
const nowMs = (): number => performance.timeOrigin + performance.now();

const send = (response: ServerResponse, body: string): void => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
};

if (import.meta.main) serve();
