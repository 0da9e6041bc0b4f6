/**
 * Sessions of browsers. A cookie says until when it is good and proves that a holder of the token was given it, so that
 * nothing is kept in memory and every process with the same token knows it. A new token ends all sessions.
 */
import { createHmac } from 'node:crypto';
import { isEqualSecretly } from './api-token.ts';

const COOKIE = 'nightshift_session';
/** Seven days: a week of nights without another login. */
const SESSION_SECONDS = 7 * 24 * 3_600;

/** The `Set-Cookie` of a session that begins now. */
export const sessionCookie = (token: string, nowMs: number, isHttps: boolean): string =>
  setCookie(sessionValue(token, nowMs + SESSION_SECONDS * 1_000), SESSION_SECONDS, isHttps);

/** The `Set-Cookie` that makes a browser forget its session. A copy of the cookie stays good until it expires. */
export const endOfSession = (isHttps: boolean): string => setCookie('', 0, isHttps);

/** Whether a request's `Cookie` header holds a session of this token that has not expired. */
export const hasSession = (token: string, cookieHeader: string | undefined, nowMs: number): boolean => {
  const value = cookieOf(cookieHeader ?? '');
  const expiresAtMs = /^(\d{1,15})\./u.exec(value)?.[1];
  if (expiresAtMs === undefined) return false;
  return isEqualSecretly(value, sessionValue(token, Number(expiresAtMs))) && Number(expiresAtMs) > nowMs;
};

const sessionValue = (token: string, expiresAtMs: number): string => {
  const proof = createHmac('sha256', token).update(`nightshift session until ${expiresAtMs}`);
  return `${expiresAtMs}.${proof.digest('base64url')}`;
};

const setCookie = (value: string, maxAgeSeconds: number, isHttps: boolean): string =>
  `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;

const cookieOf = (header: string): string => {
  const prefix = `${COOKIE}=`;
  const found = header
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(prefix));
  return found?.slice(prefix.length) ?? '';
};
