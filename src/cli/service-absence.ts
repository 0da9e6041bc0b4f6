/** How long whoever watches a batch of a service waits while that cannot answer. */
import { BatchRefused } from '../app/batches.ts';
import { CannotRun } from './run-request.ts';

/** A service that is restarted, or whose record is, is waited for; one that is gone for longer is given up. */
const PATIENCE_MS = 60_000;

/** What is made of answers and of their absence. */
export interface Absence {
  /** It answered. */
  readonly over: () => void;
  /**
   * It did not answer; that it is waited for is said once.
   *
   * @throws CannotRun if it has not for a minute, and any error that means something else.
   */
  readonly goesOn: (error: unknown) => void;
}

/** The absence of a service that has answered before. */
export const absenceOf = (say: (message: string) => void): Absence => {
  let sinceMs: number | null = null;
  return {
    over: () => {
      sinceMs = null;
    },
    goesOn: (error) => {
      if (!(error instanceof BatchRefused) || error.kind !== 'unready') throw error;
      if (sinceMs === null) say(`waiting for the service: ${error.message}`);
      sinceMs ??= performance.now();
      if (performance.now() - sinceMs < PATIENCE_MS) return;
      throw new CannotRun(
        `${error.message} It was waited for for a minute. Once it is there again (\`nightshift up\` starts a service), run the same again.`,
        { cause: error },
      );
    },
  };
};
