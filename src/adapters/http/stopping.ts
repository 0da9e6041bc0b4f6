/** How the service ends: what is being answered may be answered for a while, and nothing else is waited for. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** What has to end. */
export interface Stoppable {
  readonly server: Server;
  readonly answers: OpenAnswers;
  /** The work behind the answers, which may hold files. */
  readonly underWay: ReadonlySet<Promise<void>>;
  /** How long answers may take, and then the work that was cut off from its client. */
  readonly patienceMs: number;
}

/** Accepts nothing more, waits for open answers, closes every connection, and waits for the work to let go. */
export const stop = async ({ server, answers, underWay, patienceMs }: Stoppable): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await within(answers.whenNone(), patienceMs);
  server.closeAllConnections();
  await closed;
  await within(Promise.allSettled(underWay), patienceMs);
};

/** The answers that are not complete yet. */
export interface OpenAnswers {
  /** Resolves as soon as there is none; until then no connection is kept for another request. */
  whenNone(): Promise<void>;
}

/** Watches a server's answers. Connections on which nothing is asked do not count, nor those that never asked. */
export const openAnswersOf = (server: Server): OpenAnswers => {
  const open = new Set<ServerResponse>();
  const none = Promise.withResolvers<void>();
  let isAwaited = false;
  const tellIfNone = (): void => {
    if (isAwaited && open.size === 0) none.resolve();
  };
  const watch = (_request: IncomingMessage, response: ServerResponse): void => {
    open.add(response);
    if (isAwaited) response.setHeader('connection', 'close');
    response.once('close', () => {
      open.delete(response);
      tellIfNone();
    });
  };
  server.prependListener('request', watch).prependListener('checkContinue', watch);
  return {
    whenNone: async () => {
      isAwaited = true;
      tellIfNone();
      await none.promise;
    },
  };
};

/** Waits for the work, but no longer than that. */
const within = async (work: Promise<unknown>, mostMs: number): Promise<void> => {
  const controller = new AbortController();
  const patience = pause(mostMs, undefined, { signal: controller.signal }).catch(() => {});
  await Promise.race([work, patience]);
  controller.abort();
};
