/** By which errors it is told that the record is away for a moment: its server restarts, or the way to it is cut. */

/** Of the operating system, for a connection that was made or being made. */
const BROKEN_CONNECTION: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** A socket that is not there, or a name that is not known while its container restarts; of files it means something else. */
const REACHING: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo']);
/** Of PostgreSQL: class 08, and the codes for a server that stops, has crashed, or starts. */
const SQLSTATE = /^(?:08[0-9A-Z]{3}|57P0[123])$/u;
/** What the library says without a code. */
const SAID =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/u;

/** Whether an error, or one that it came from, says so. What was asked may be asked again soon. */
export const isRecordAway = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : null;
  const isBroken =
    BROKEN_CONNECTION.has(code) ||
    ('syscall' in error && REACHING.has(error.syscall)) ||
    (typeof code === 'string' && SQLSTATE.test(code)) ||
    SAID.test(error.message);
  return isBroken || isRecordAway(error.cause);
};
