/** What must be said before a body is read, and when its sender is gone. */
import type { Request, RequestHandler, Response } from 'express';
import { ClientGone } from './refusal.ts';

/**
 * Tells a client that waits for `100 Continue` to go on. Only routes that read a body do this, after everything that
 * can be refused without it was: a large upload without a token is never sent.
 */
export const takeBody = ({ headers }: Request, response: Response): void => {
  if (headers.expect !== undefined) response.writeContinue();
};

/** {@link takeBody} in front of handlers that read the body by themselves. */
export const takingBody: RequestHandler = (request, response, next) => {
  takeBody(request, response);
  next();
};

/** Aborts, with {@link ClientGone}, when the connection is closed before the answer is complete. */
export const departureOf = (response: Response): AbortSignal => {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new ClientGone('The client went away.'));
  });
  return controller.signal;
};
