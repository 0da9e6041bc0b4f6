/** Judging the addresses that requests name: where we listen, `Host`, `Origin`, and where to go after a login. */

/** Where an api listens unless told otherwise. */
export const DEFAULT_PORT = 7316;

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/iu;
const LOOPBACK_AUTHORITY = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/iu;

/** Whether only this machine can reach a server that listens on this host. */
export const isLoopbackHost = (host: string): boolean => LOOPBACK_HOST.test(host);

/** Whether a `Host` header names this machine, at any port. */
export const isLoopbackAuthority = (authority: string | undefined): boolean =>
  LOOPBACK_AUTHORITY.test(authority ?? '');

/**
 * Whether an `Origin` header is the place that `Host` names. The scheme is not compared: behind a proxy that speaks
 * HTTPS only the browser knows it.
 */
export const isSameOrigin = (origin: string, authority: string | undefined): boolean => {
  const theirs = URL.parse(origin);
  const ours = theirs === null ? null : URL.parse(`${theirs.protocol}//${authority ?? ''}`);
  return theirs !== null && ours !== null && theirs.host === ours.host && ours.host !== '';
};

/** `next` if it is a path on this server, else `null`. What browsers would read as another host is none. */
export const localPath = (next: string): string | null => {
  const base = 'http://nightshift.invalid';
  const url = next.startsWith('/') ? URL.parse(next, base) : null;
  if (url === null || url.origin !== base || url.pathname.startsWith('//')) return null;
  return `${url.pathname}${url.search}${url.hash}`;
};

/** The address at which a server is reached from its own machine. */
export const addressOf = (host: string, port: number): string => {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
};
