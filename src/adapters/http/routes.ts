/** Routes as data, so that what is not among them can be answered with what is. */
import type { Request, RequestHandler, Response } from 'express';
import { Router } from 'express';
import { nearestNames } from '../../core/nearest.ts';
import { HttpRefusal } from './refusal.ts';

/** One thing that can be asked for. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:ref` for the one segment that varies. */
  readonly path: string;
  readonly handle: (request: Request, response: Response) => Promise<void>;
}

/** Serves routes. Another method of a path is a 405, and any other path below `/api` a 404 that names the nearest. */
export const routerOf = (routes: readonly Route[]): Router => {
  const router = Router();
  for (const { method, path, handle } of routes) router[method === 'GET' ? 'get' : 'post'](path, handle);
  for (const path of pathsOf(routes)) router.all(path, refuseMethod(methodsOf(routes, path)));
  router.use((request) => {
    throw unknownRoute(request, pathsOf(routes));
  });
  return router;
};

/** `METHOD /path` of each route. */
export const routeNames = (routes: readonly Route[]): readonly string[] =>
  routes.map(({ method, path }) => `${method} ${path}`);

const pathsOf = (routes: readonly Route[]): readonly string[] => [...new Set(routes.map(({ path }) => path))];

const methodsOf = (routes: readonly Route[], path: string): readonly string[] =>
  routes
    .filter((route) => route.path === path)
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));

const refuseMethod =
  (methods: readonly string[]): RequestHandler =>
  ({ method, path }) => {
    const allow = methods.join(', ');
    throw new HttpRefusal(405, 'wrong_method', `Expected ${allow} for ${path}, got ${method}.`, { allow });
  };

const unknownRoute = ({ path }: Request, paths: readonly string[]): HttpRefusal => {
  const [nearest] = nearestNames(
    path,
    paths.map((known) => withSegmentsOf(path, known)),
    1,
  );
  const hint = nearest === undefined ? 'GET /api lists them all.' : `Did you mean ${nearest}?`;
  return new HttpRefusal(404, 'unknown_route', `Expected a route of this service, got ${path}. ${hint}`);
};

/** A known path with what a request has in the place of `:ref`, so that only what is misspelt counts. */
const withSegmentsOf = (path: string, known: string): string => {
  const segments = path.split('/');
  return known
    .split('/')
    .map((segment, index) => (segment.startsWith(':') ? (segments[index] ?? segment) : segment))
    .join('/');
};
