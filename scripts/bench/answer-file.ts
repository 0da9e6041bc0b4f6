/** The answers of a variant that keeps no record: JSONL, written as they come, never synced to the disk. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** A file that grows by a line per answer. Disposing waits until all of it is written. */
export interface AnswerFile extends AsyncDisposable {
  /** Resolves at once, or when a file that is behind has caught up. */
  write(answer: { readonly custom_id: string; readonly body: unknown }): Promise<void>;
}

/** Opens the file, which is emptied if it exists. */
export const openAnswerFile = (path: string): AnswerFile => {
  const stream = createWriteStream(path);
  // One promise for all who wait: a listener each would be a hundred on one stream.
  let caughtUp: Promise<unknown> = Promise.resolve();
  return {
    async write(answer) {
      const isBehind = !stream.write(`${JSON.stringify(answer)}\n`);
      if (isBehind && stream.listenerCount('drain') === 0) caughtUp = once(stream, 'drain');
      if (isBehind) await caughtUp;
    },
    async [Symbol.asyncDispose]() {
      stream.end();
      await once(stream, 'close');
    },
  };
};
