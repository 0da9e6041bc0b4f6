/** `/login` and `/logout`: a browser brings the token once and is given a session. */
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { stringAt } from '../../core/json/loose-json.ts';
import type { Log } from '../../app/ports.ts';
import { isRightToken } from './access.ts';
import { localPath } from './addresses.ts';
import { takingBody } from './bodies.ts';
import { type LoginPage, loginPage, logoutPage } from './login-page.ts';
import { parametersOf } from './query.ts';
import { endOfSession, sessionCookie } from './session.ts';

/** The page and its form; open to everybody. Without a token there is nothing to log in to, and the page leads on. */
export const loginRoutes = (token: string | null, log: Log): Router => {
  const router = Router();
  if (token === null) {
    router.get('/login', (request, response) => response.redirect(303, nextOf(request)));
    return router;
  }
  router.get('/login', (request, response) => sendPage(response, 200, nextOf(request), false));
  router.post(
    '/login',
    takingBody,
    express.urlencoded({ extended: false, limit: '8kb' }),
    async (request, response) => {
      const next = nextOf(request);
      const isRight = await isRightToken(token, stringAt(request.body, 'token')?.trim() ?? '', request, log);
      if (!isRight) return sendPage(response, 401, next, true);
      response.set('set-cookie', sessionCookie(token, Date.now(), isHttps(request))).redirect(303, next);
    },
  );
  return router;
};

/** Ends the session of whoever has one. */
export const logout: RequestHandler = (request, response) => {
  response.set('set-cookie', endOfSession(isHttps(request))).redirect(303, '/login');
};

/** Asks whoever has a session whether it shall end; without a token there is none. */
export const askLogout =
  (token: string | null): RequestHandler =>
  (_request, response) => {
    if (token === null) response.redirect(303, '/board');
    else send(response, logoutPage());
  };

const sendPage = (response: Response, status: number, next: string, wasWrong: boolean): void => {
  if (wasWrong) response.set('www-authenticate', 'Bearer realm="nightshift"');
  send(response.status(status), loginPage(next, wasWrong));
};

const send = (response: Response, { html, contentSecurityPolicy }: LoginPage): void => {
  response
    .set({ 'content-security-policy': contentSecurityPolicy, 'cache-control': 'no-store' })
    .type('html')
    .send(html);
};

const nextOf = (request: Request): string =>
  localPath(parametersOf(request).get('next') ?? '/board') ?? '/board';

/** What a proxy in front says; without one it is what the connection is. A liar only gives away his own cookie. */
const isHttps = ({ secure, headers }: Request): boolean =>
  secure ||
  String(headers['x-forwarded-proto'] ?? '')
    .split(',')[0]
    ?.trim() === 'https';
