/** What is served at which path, and behind what: headers for all, health for everybody, the rest for those who may ask. */
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Batches } from '../../app/batches.ts';
import type { Log } from '../../app/ports.ts';
import { guard } from './access.ts';
import { apiRoutes } from './api-routes.ts';
import { takingBody } from './bodies.ts';
import { askLogout, loginRoutes, logout } from './login.ts';
import type { Readiness } from './readiness.ts';
import { answerErrors } from './refusal.ts';
import { routeNames, routerOf, type Route } from './routes.ts';

/** What to serve, and to whom. */
export interface Application {
  /** At least 16 characters; `null` serves whoever is on this machine. */
  readonly token: string | null;
  /** `null` serves nothing but health: the process is no api. */
  readonly batches: Batches | null;
  readonly probe: () => Promise<Readiness>;
  /** Served at `/board`. */
  readonly board: Router | null;
  /** Where uploads lie while they are read; made if it is not there. */
  readonly spoolDirectory: string;
  readonly log: Log;
}

/** The application; requests to its own routes are in `underWay` while they are worked on. */
export const applicationOf = (options: Application, underWay: Set<Promise<void>>): Express => {
  const { token, log, board, batches, spoolDirectory } = options;
  const routes = batches === null ? [] : apiRoutes(batches, spoolDirectory);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(securityHeaders);
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.use(loginRoutes(token, log));
  app.use(guard(token, log));
  app.get('/logout', askLogout(token));
  app.post('/logout', logout);
  if (board !== null) app.use('/board', takingBody, board);
  app.use(routerOf(ownRoutes(options, routes).map((route) => tracked(route, underWay))));
  app.use(answerErrors(log));
  return app;
};

/** Everything below the guard but the board. */
const ownRoutes = ({ board, probe, log }: Application, routes: readonly Route[]): readonly Route[] => {
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
