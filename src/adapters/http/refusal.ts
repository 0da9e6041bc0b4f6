/** Refusals of the HTTP interface, and the form in which errors leave it: `{"error":{"code","message"}}`, for the board's page its own. */
import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, Request, Response } from 'express';
import { BatchRefused } from '../../app/batches.ts';
import type { Log } from '../../app/ports.ts';
import { isRecordAway } from './record-away.ts';

/** A request that is answered with an error of the client's. The message is meant for the person who asked. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The client went away before its answer was complete. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** How each kind of {@link BatchRefused} is said over HTTP; the client reads it back from the code. */
export const REFUSED: Readonly<
  Record<BatchRefused['kind'], { readonly status: number; readonly code: string }>
> = {
  'not-found': { status: 404, code: 'not_found' },
  conflict: { status: 409, code: 'conflict' },
  invalid: { status: 422, code: 'invalid' },
  unready: { status: 503, code: 'unready' },
};

/** Seconds after which it is worth asking again. */
const RETRY_AFTER = { 'retry-after': '5' };

/**
 * Answers what a route threw. A fault of ours is logged, and the answer holds nothing but the id of the entry; that the record
 * is away for a moment is none.
 */
export const answerErrors =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    if (response.closed && isDeparture(error)) return;
    const refusal = refusalOf(error) ?? away(log, error, request) ?? faulted(log, error, request);
    if (response.headersSent) response.destroy();
    else if (BOARD.test(request.originalUrl)) answerBoard(response, refusal);
    else answer(response, refusal);
  };

const answer = (response: Response, { status, code, message, headers }: HttpRefusal): void => {
  response.status(status).set(headers).json({ error: { code, message } });
};

const BOARD = /^\/board(?:\/|$)/iu;

/** The board's page shows `error` as a title and `message` below it, and nothing of any other form. */
const answerBoard = (response: Response, { status, message, headers }: HttpRefusal): void => {
  const said =
    status === 401
      ? { error: 'Not logged in', message: 'The session has ended. Reload the page to log in again.' }
      : { error: 'Refused', message };
  response.status(status).set(headers).json(said);
};

const refusalOf = (error: unknown): HttpRefusal | null => {
  if (error instanceof HttpRefusal) return error;
  if (error instanceof BatchRefused) return refusalFrom(error);
  return brokenRequest(error);
};

const refusalFrom = ({ kind, message }: BatchRefused): HttpRefusal => {
  const { status, code } = REFUSED[kind];
  return new HttpRefusal(status, code, message, kind === 'unready' ? RETRY_AFTER : {});
};

/** What Express itself finds wrong with a request: an address or a body that cannot be decoded. */
const brokenRequest = (error: unknown): HttpRefusal | null => {
  const status = error instanceof Error && 'status' in error ? error.status : null;
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  return new HttpRefusal(
    status,
    'broken_request',
    'Expected a request that can be read, got one whose address or body is broken. Encode names with percent signs (`encodeURIComponent`).',
  );
};

/** Whoever watches a batch goes on watching when the record is back. */
const away = (log: Log, error: unknown, { method, path }: Request): HttpRefusal | null => {
  if (!isRecordAway(error)) return null;
  log.warn({ method, path, err: error }, 'record.away');
  return refusalFrom(
    new BatchRefused(
      'unready',
      'Expected the record to answer, but it is away for a moment: its PostgreSQL restarts or cannot be reached. Ask again.',
    ),
  );
};

const faulted = (log: Log, error: unknown, { method, path }: Request): HttpRefusal => {
  const id = randomUUID();
  log.error({ id, method, path, err: error }, 'request.faulted');
  return new HttpRefusal(
    500,
    'fault',
    `Nightshift could not answer, for a reason of its own. Its log says more: look for ${id}.`,
  );
};

const DEPARTURES: ReadonlySet<unknown> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']);

const isDeparture = (error: unknown): boolean =>
  error instanceof ClientGone ||
  (error instanceof Error &&
    (error.name === 'AbortError' || ('code' in error && DEPARTURES.has(error.code))));
