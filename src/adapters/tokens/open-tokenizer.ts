/** The tokenizer in a process of its own, which is there while somebody counts. */
import type { Tokenizer } from '../../app/token-counter.ts';
import { openCountingQueue } from './counting-queue.ts';

/** How long the process is kept, and what it is. */
export interface TokenizerOptions {
  /** How long it stays after its last user has gone; in milliseconds. */
  readonly lingerMs: number;
  /** What the process runs; the real one unless said. */
  readonly entry?: URL;
}

/** A {@link Tokenizer} that starts on first use; disposing ends it. */
export interface ProcessTokenizer extends Tokenizer, Disposable {
  /** Of the process there is now. */
  readonly pid: () => number | undefined;
}

const COUNTING_PROCESS = new URL('./counting-process.ts', import.meta.url);

/** A tokenizer that nobody uses yet, and so without a process. */
export const openTokenizer = ({ lingerMs, entry = COUNTING_PROCESS }: TokenizerOptions): ProcessTokenizer => {
  const queue = openCountingQueue(entry);
  const users = new Set<symbol>();
  let lingering: NodeJS.Timeout | undefined;
  const leave = (user: symbol): void => {
    if (users.delete(user) && users.size === 0) lingering = setTimeout(queue.stop, lingerMs);
  };
  return {
    pid: queue.pid,
    open: () => {
      const user = Symbol('user of the tokenizer');
      users.add(user);
      clearTimeout(lingering);
      queue.start();
      return { count: queue.count, [Symbol.dispose]: () => leave(user) };
    },
    [Symbol.dispose]: () => {
      clearTimeout(lingering);
      queue.stop();
    },
  };
};
