/** Serves Bull Board's page and routes through express: nothing from other hosts, refusals with their own words. */
import type { AppViewRoute, ControllerHandlerReturnType, HTTPStatus } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import type { NextFunction, Request, Response } from 'express';
import { BatchRefused } from '../../app/batches.ts';

/** The page styles itself inline; everything else is its own. The browser refuses what a later version might add. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const REFUSAL_STATUS: Readonly<Record<BatchRefused['kind'], HTTPStatus>> = {
  'not-found': 404,
  conflict: 409,
  invalid: 400,
  unready: 409,
};

/** Bull Board's server with our page and our answers to errors. */
export class BoardServer extends ExpressAdapter {
  readonly #onFault: (error: Error) => void;

  /** `onFault` hears of errors that nobody meant; they are answered with 500. */
  constructor(basePath: string, onFault: (error: Error) => void) {
    super();
    this.#onFault = onFault;
    this.setBasePath(basePath);
    this.app.disable('x-powered-by');
  }

  override setEntryRoute(entry: AppViewRoute): this {
    this.app.get(entry.route, (_request: Request, response: Response, next: NextFunction) => {
      const { name, params } = entry.handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, page: string) => {
        if (error !== null) return next(error);
        response.set('content-security-policy', CONTENT_SECURITY_POLICY).send(withoutForeignLinks(page));
      });
    });
    return this;
  }

  override setErrorHandler(handler: (error: Error) => ControllerHandlerReturnType): this {
    return super.setErrorHandler((error) => {
      if (error instanceof BatchRefused) return refusal(error);
      this.#onFault(error);
      return handler(error);
    });
  }

  /** Answers an error from before Bull Board's routes the way those do. */
  readonly answerError = (error: Error, _request: Request, response: Response, next: NextFunction): void => {
    const answer = this.errorHandler?.(error);
    if (answer === undefined || response.headersSent) return next(error);
    response.status(answer.status ?? 500).send(answer.body);
  };
}

const refusal = (error: BatchRefused): ControllerHandlerReturnType => ({
  status: REFUSAL_STATUS[error.kind],
  body: { error: { key: 'ERRORS.FORBIDDEN' }, message: error.message },
});

/** Bull Board asks a font server for its fonts; without it the browser's own do. */
const withoutForeignLinks = (page: string): string => page.replaceAll(/<link [^>]*href="https?:[^>]*>/gu, '');
