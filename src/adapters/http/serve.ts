/** The HTTP interface of the service: the API, the board, the login and the questions of whoever supervises it. */
import { mkdir } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Batches } from '../../app/batches.ts';
import type { Log } from '../../app/ports.ts';
import { checkAccess, guard } from './access.ts';
import { addressOf } from './addresses.ts';
import { apiRoutes } from './api-routes.ts';
import { takeBody } from './bodies.ts';
import { loginRoutes, logout } from './login.ts';
import type { Readiness } from './readiness.ts';
import { answerErrors } from './refusal.ts';
import { routeNames, routerOf, type Route } from './routes.ts';

/** What to serve, and to whom. */
export interface HttpOptions {
  /** Anything but loopback needs a token. */
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** At least 16 characters; `null` serves whoever is on this machine. */
  readonly token: string | null;
  readonly batches: Batches;
  readonly probe: () => Promise<Readiness>;
  /** Served at `/board`. */
  readonly board: Router | null;
  /** Where uploads lie while they are read; made if it is not there. */
  readonly spoolDirectory: string;
  readonly log: Log;
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
  const answers = openAnswersOf(server);
  await listen(server, options);
  return serviceOf(
    server,
    () => stop(server, answers, underWay, options.patienceMs ?? DEFAULT_PATIENCE_MS),
    options,
  );
};

const applicationOf = (options: HttpOptions, underWay: Set<Promise<void>>): Express => {
  const { token, log, board, batches, spoolDirectory } = options;
  const routes = apiRoutes(batches, spoolDirectory);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(securityHeaders);
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.use(loginRoutes(token, log));
  app.use(guard(token, log));
  app.post('/logout', logout);
  if (board !== null) app.use('/board', takeBody, board);
  app.use(routerOf(ownRoutes(options, routes).map((route) => tracked(route, underWay))));
  app.use(answerErrors(log));
  return app;
};

/** Everything below the guard but the board. */
const ownRoutes = ({ board, probe, log }: HttpOptions, routes: readonly Route[]): readonly Route[] => {
  const index: Route['handle'] = async (_request, response) =>
    void response.json({
      service: 'nightshift',
      routes: ['GET /healthz', 'GET /readyz', ...routeNames(routes)],
    });
  return [
    ...routes,
    { method: 'GET', path: '/', handle: board === null ? index : toBoard },
    { method: 'GET', path: '/api', handle: index },
    { method: 'GET', path: '/readyz', handle: readiness(probe, log) },
  ];
};

const toBoard: Route['handle'] = async (_request, response) => response.redirect(302, '/board');

const readiness =
  (probe: () => Promise<Readiness>, log: Log): Route['handle'] =>
  async (_request, response) => {
    const { isReady, checks } = await probe().catch((error: unknown): Readiness => {
      log.error({ err: error }, 'probe.failed');
      return {
        isReady: false,
        checks: { probe: { ok: false, detail: 'It failed itself; the log says why.' } },
      };
    });
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'unready', checks });
  };

/** Remembers which requests are being answered: what they hold is given back before the service is gone. */
const tracked = (route: Route, underWay: Set<Promise<void>>): Route => ({
  ...route,
  handle: async (request, response) => {
    const answered = route.handle(request, response);
    underWay.add(answered);
    try {
      await answered;
    } finally {
      underWay.delete(answered);
    }
  },
});

/** The board brings its scripts and styles along; what its pages would load from elsewhere they do without. */
const BOARD_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'none'";
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

const securityHeaders: RequestHandler = ({ path }, response, next) => {
  const isBoard = /^\/board(?:\/|$)/iu.test(path);
  response.set({
    'content-security-policy': isBoard ? BOARD_POLICY : API_POLICY,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    ...(isBoard ? {} : { 'cache-control': 'no-store' }),
  });
  next();
};

/** A client that waits for `100 Continue` may send its body or not: the connection cannot be used for another request. */
const withoutKeepAlive =
  (app: Express): RequestListener =>
  (request: IncomingMessage, response) => {
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

const stop = async (
  server: Server,
  answers: OpenAnswers,
  underWay: ReadonlySet<Promise<void>>,
  patienceMs: number,
): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await within(answers.whenNone(), patienceMs);
  server.closeAllConnections();
  await closed;
  await within(Promise.allSettled(underWay), patienceMs);
};

/** The answers that are not complete yet. */
interface OpenAnswers {
  /** Resolves as soon as there is none; until then no connection is kept for another request. */
  whenNone(): Promise<void>;
}

/** Watches a server's answers. Connections on which nothing is asked do not count, nor those that never asked. */
const openAnswersOf = (server: Server): OpenAnswers => {
  const open = new Set<ServerResponse>();
  const none = Promise.withResolvers<void>();
  let isAwaited = false;
  const tellIfNone = (): void => {
    if (isAwaited && open.size === 0) none.resolve();
  };
  const watch = (_request: IncomingMessage, response: ServerResponse): void => {
    open.add(response);
    if (isAwaited) response.setHeader('connection', 'close');
    response.once('close', () => {
      open.delete(response);
      tellIfNone();
    });
  };
  server.prependListener('request', watch).prependListener('checkContinue', watch);
  return {
    whenNone: async () => {
      isAwaited = true;
      tellIfNone();
      await none.promise;
    },
  };
};

/** Waits for the work, but no longer than that. */
const within = async (work: Promise<unknown>, mostMs: number): Promise<void> => {
  const controller = new AbortController();
  const patience = pause(mostMs, undefined, { signal: controller.signal }).catch(() => {});
  await Promise.race([work, patience]);
  controller.abort();
};
