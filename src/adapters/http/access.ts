/**
 * Who may ask. With a token: whoever brings it, or a browser that was given a session for it. Without one we listen on
 * loopback only, and whoever is on the machine may ask, but no page of another site that its browser shows.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { Log } from '../../app/ports.ts';
import { isLoopbackAuthority, isLoopbackHost, isSameOrigin } from './addresses.ts';
import { isEqualSecretly, tokenFlaw } from './api-token.ts';
import { HttpRefusal } from './refusal.ts';
import { hasSession } from './session.ts';

/** What a wrong token costs: too little to notice for a person, too much for a guesser. */
const WRONG_TOKEN_PAUSE_MS = 300;

/**
 * Refuses to serve where anybody could ask.
 *
 * @throws Error that names the way out.
 */
export const checkAccess = (host: string, token: string | null): void => {
  if (token === null && !isLoopbackHost(host)) {
    throw new Error(
      `Expected a token where others can reach the service, got none for the host ${host}. Set NIGHTSHIFT_API_TOKEN (\`openssl rand -hex 24\` makes one), or listen on 127.0.0.1.`,
    );
  }
  const flaw = token === null ? null : tokenFlaw(token);
  if (flaw !== null) throw new Error(flaw);
};

/** Lets a request pass that may be answered; sends browsers without a session to the login page. */
export const guard = (token: string | null, log: Log): RequestHandler =>
  token === null ? guardLoopback : guardToken(token, log);

const guardLoopback: RequestHandler = ({ headers, method }, _response, next) => {
  if (!isLoopbackAuthority(headers.host)) {
    throw forbidden(
      'Expected the Host header to name this machine (127.0.0.1, localhost), got another name. Set NIGHTSHIFT_API_TOKEN to serve other names.',
    );
  }
  refuseForeignOrigin(headers, method);
  next();
};

const guardToken =
  (token: string, log: Log): RequestHandler =>
  async (request, response, next) => {
    const bearer = /^Bearer +(\S+) *$/iu.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) {
      if (!(await isRightToken(token, bearer, request, log))) throw unauthorized('another one');
      next();
    } else if (hasSession(token, request.headers.cookie, Date.now())) {
      refuseForeignOrigin(request.headers, request.method);
      next();
    } else if (wantsPage(request)) redirectToLogin(request, response);
    else throw unauthorized('none');
  };

/** Compares a token that somebody brought; a wrong one takes a moment and is logged, without itself. */
export const isRightToken = async (
  token: string,
  brought: string,
  { ip, path }: Request,
  log: Log,
): Promise<boolean> => {
  if (isEqualSecretly(brought, token)) return true;
  log.warn({ ip, path }, 'token.refused');
  await pause(WRONG_TOKEN_PAUSE_MS);
  return false;
};

const refuseForeignOrigin = ({ origin, host }: Request['headers'], method: string): void => {
  if (SAFE_METHODS.has(method) || origin === undefined || isSameOrigin(origin, host)) return;
  throw forbidden(
    'Expected the request to come from a page of this service, got the Origin of another. Behind a proxy, let it pass the Host header on.',
  );
};

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const wantsPage = (request: Request): boolean => request.accepts(['json', 'html']) === 'html';

const redirectToLogin = ({ method, originalUrl }: Request, response: Response): void => {
  const next = method === 'GET' ? originalUrl : '/';
  response.redirect(303, `/login?${new URLSearchParams({ next }).toString()}`);
};

const unauthorized = (got: string): HttpRefusal =>
  new HttpRefusal(
    401,
    'unauthorized',
    `Expected \`Authorization: Bearer\` with the token of this service (NIGHTSHIFT_API_TOKEN), got ${got}.`,
    { 'www-authenticate': 'Bearer realm="nightshift"' },
  );

const forbidden = (message: string): HttpRefusal => new HttpRefusal(403, 'forbidden', message);
