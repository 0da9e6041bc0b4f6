/** What follows where the embedded PostgreSQL goes away under a command: it ends with a word about it, and soon. */
import { CannotRun } from './run-request.ts';

/** The database went away; nothing can be read or closed any more. */
class RecordLost extends CannotRun {}

/** Whether the record is lost. */
export interface RecordLoss {
  /** Told by whoever opened the record. */
  readonly onLost: (error: Error) => void;
  /** Rejects when it is lost. */
  readonly promise: Promise<never>;
}

/** A record that is not lost yet; `wayOut` is what the user can do then. */
export const watchLoss = (wayOut: string): RecordLoss => {
  const lost = Promise.withResolvers<never>();
  // Nobody may be listening when it comes: it is raced against the work.
  lost.promise.catch(() => {});
  return {
    promise: lost.promise,
    onLost: (error) =>
      lost.reject(
        new RecordLost(
          `Expected the embedded PostgreSQL to stay, but it went away (${error.message}). Nothing that was stored is lost. ${wayOut}`,
          { cause: error },
        ),
      ),
  };
};

/** How long a record that was lost may take to close. */
const CLOSE_PATIENCE_MS = 2_000;

/**
 * Works on a record and closes it. Where it is lost, neither the work nor the closing is waited for any longer than it takes
 * to say so.
 *
 * @throws CannotRun if it is lost, and whatever the work threw.
 */
export const workUntilLost = async <Value>(
  loss: RecordLoss,
  work: () => Promise<Value>,
  close: () => Promise<void>,
): Promise<Value> => {
  try {
    const value = await Promise.race([work(), loss.promise]);
    await close();
    return value;
  } catch (error) {
    const cause = await Promise.race([loss.promise, tellTale(error)]).catch((reason: unknown) => reason);
    await Promise.race([close().catch(() => {}), patience(cause instanceof RecordLost)]);
    throw cause;
  }
};

/** A broken connection is usually the first word of a lost record, which says more: it is given a moment. */
const tellTale = async (error: unknown): Promise<unknown> => {
  const isBroken = error instanceof Error && 'code' in error;
  if (isBroken) await new Promise((resolve) => setTimeout(resolve, LOST_WORD_MS));
  return error;
};

/** How long the word that the record is lost may come after its first broken connection. */
const LOST_WORD_MS = 1_000;

const patience = async (isLost: boolean): Promise<void> => {
  await new Promise<void>((resolve) => {
    if (isLost) setTimeout(resolve, CLOSE_PATIENCE_MS).unref();
  });
};
