/** The HTTP interface of the service: the API, the board, the login and the questions of whoever supervises it. */
import { mkdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Express } from 'express';
import { checkAccess } from './access.ts';
import { addressOf } from './addresses.ts';
import { type Application, applicationOf } from './application.ts';
import { openAnswersOf, stop } from './stopping.ts';

/** What to serve, to whom, and where. */
export interface HttpOptions extends Application {
  /** Anything but loopback needs a token. */
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** How long requests under way may go on once the service is disposed. Default 5,000. */
  readonly patienceMs?: number;
}

/** The running interface. Disposing stops it: nothing new is accepted, and what is under way may end for a while. */
export interface HttpService extends AsyncDisposable {
  /** Where it is reached from this machine, without a slash at the end. */
  readonly url: string;
  readonly port: number;
}

const DEFAULT_PATIENCE_MS = 5_000;
/** Prompts travel in the query; three bytes in it are one of a text that is not English. */
const MOST_HEADER_BYTES = 256 * 1024;
/** Node sets it to nothing where uploads may take as long as they like. */
const HEADERS_TIMEOUT_MS = 60_000;
/** Longer than proxies keep theirs, so that no request meets a connection that is being closed. */
const KEEP_ALIVE_MS = 65_000;

/**
 * Listens, and serves until it is disposed.
 *
 * @throws Error that names the way out where others could reach it without a token, for a weak token, and for a port
 * that is taken.
 */
export const serveHttp = async (options: HttpOptions): Promise<HttpService> => {
  checkAccess(options.host, options.token);
  await mkdir(options.spoolDirectory, { recursive: true, mode: 0o700 });
  const underWay = new Set<Promise<void>>();
  const app = applicationOf(options, underWay);
  const limits = { maxHeaderSize: MOST_HEADER_BYTES, requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS };
  const server = createServer({ ...limits, keepAliveTimeout: KEEP_ALIVE_MS }, app);
  server.on('checkContinue', withoutKeepAlive(app));
  const stoppable = {
    server,
    underWay,
    answers: openAnswersOf(server),
    patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
  };
  await listen(server, options);
  return serviceOf(server, () => stop(stoppable), options);
};

/** A client that waits for `100 Continue` may send its body or not: the connection cannot be used for another request. */
const withoutKeepAlive =
  (app: Express): RequestListener =>
  (request, response) => {
    response.setHeader('connection', 'close');
    app(request, response);
  };

const listen = async (server: Server, { host, port }: HttpOptions): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new Error(
      `Expected to listen on ${host} at port ${port}, got ${codeOf(cause)}. Free the port, or choose another.`,
      { cause },
    );
  } finally {
    server.off('error', reject);
  }
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const serviceOf = (server: Server, end: () => Promise<void>, { host, log }: HttpOptions): HttpService => {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('Expected the server to have a port, got none.');
  }
  server.on('error', (error) => log.error({ err: error }, 'server.errored'));
  let stopped: Promise<void> | null = null;
  return {
    url: addressOf(host, address.port),
    port: address.port,
    [Symbol.asyncDispose]: async () => await (stopped ??= end()),
  };
};
