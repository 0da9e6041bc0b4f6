/** A served fake, and requests that `fetch` would not make. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Log } from '../../../src/app/ports.ts';
import { type HttpOptions, type HttpService, serveHttp } from '../../../src/adapters/http/serve.ts';
import { type FakeBatches, fakeBatches } from './fake-batches.ts';

/** Long enough to be taken, and easy to find in a message. */
export const TOKEN = 'correct-horse-battery-staple';

/** One entry of a {@link Serving}'s log. */
export interface LogEntry {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly event: string;
}

/** What serves, and what is behind it. */
export interface Serving extends AsyncDisposable {
  readonly service: HttpService;
  readonly url: string;
  readonly batches: FakeBatches;
  readonly entries: readonly LogEntry[];
  readonly spoolDirectory: string;
}

/** Serves a fake on a free port of 127.0.0.1, without a token unless one is given. */
export const serving = async (changes: Partial<HttpOptions> = {}): Promise<Serving> => {
  const spoolDirectory = await mkdtemp(join(tmpdir(), 'nightshift-http-'));
  const removeSpool = (): Promise<void> => rm(spoolDirectory, { recursive: true, force: true });
  const entries: LogEntry[] = [];
  const batches = fakeBatches();
  const service = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    token: null,
    batches,
    probe: async () => ({ isReady: true, checks: { record: { ok: true, detail: 'It answers.' } } }),
    board: null,
    spoolDirectory,
    log: logInto(entries),
    ...changes,
  }).catch(async (error: unknown) => {
    await removeSpool();
    throw error;
  });
  return {
    service,
    url: service.url,
    batches,
    entries,
    spoolDirectory,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await removeSpool();
    },
  };
};

const logInto = (entries: LogEntry[]): Log => {
  const write = (level: string) => (fields: LogEntry['fields'], event: string) => {
    entries.push({ level, fields, event });
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
};

/** An answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request with exactly these headers; redirects are answers. */
export const ask = async (
  url: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): Promise<Answer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(url, { method, headers, agent: false }, (response) => {
    text(response).then(
      (received) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }),
      reject,
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return await promise;
};

/** Resolves when a condition holds, and rejects after 10 s. */
export const eventually = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadlineMs = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`Expected ${holds.toString()} within 10 s.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
