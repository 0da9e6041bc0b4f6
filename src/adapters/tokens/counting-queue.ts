/** Blocks of texts in line for the counting process, which may die over one of them. */
import { startTokenizer, type TokenizerProcess } from './tokenizer-process.ts';

/** A counting process and what waits for it. */
export interface CountingQueue {
  /** The process there is now, for whoever watches it. */
  readonly pid: () => number | undefined;
  /** Starts the process, unless it is running. */
  readonly start: () => void;
  /**
   * The count of each text, in order.
   *
   * @throws if the process died twice over these texts, or was stopped.
   */
  readonly count: (texts: readonly string[]) => Promise<readonly number[]>;
  /** Ends the process; what waits for it is rejected. It may be started again. */
  readonly stop: () => void;
}

/** Texts that were sent and not answered yet. */
interface Block {
  readonly texts: readonly string[];
  readonly answer: PromiseWithResolvers<readonly number[]>;
  deaths: number;
}

/** One is bad luck: the kernel was short of memory, say. */
const MOST_DEATHS = 2;

/** A queue for processes of this entry point. Nothing is started yet. */
export const openCountingQueue = (entry: URL): CountingQueue => {
  const blocks: Block[] = [];
  let current: TokenizerProcess | null = null;

  const start = (): TokenizerProcess => (current ??= startTokenizer(entry, { onCounts, onDeath }));
  const onCounts = (counts: readonly number[]): void => {
    const block = blocks.shift();
    if (counts.length === block?.texts.length) block.answer.resolve(counts);
    else block?.answer.reject(miscounted(block, counts));
  };
  const onDeath = (reason: string): void => {
    current = null;
    const first = blocks[0];
    if (first !== undefined && diedOver(first, reason) >= MOST_DEATHS) blocks.shift();
    for (const { texts } of blocks) start().send(texts);
  };
  return {
    pid: () => current?.pid,
    start: () => void start(),
    count: async (texts) => {
      if (texts.length === 0) return [];
      const answer = Promise.withResolvers<readonly number[]>();
      blocks.push({ texts, answer, deaths: 0 });
      start().send(texts);
      return await answer.promise;
    },
    stop: () => {
      current?.end();
      current = null;
      for (const { answer } of blocks.splice(0)) answer.reject(new Error(STOPPED));
    },
  };
};

const STOPPED = 'Expected the tokens to be counted, but the tokenizer was stopped while they were.';

/** How often it has died over this block. */
const diedOver = (block: Block, reason: string): number => {
  block.deaths += 1;
  if (block.deaths >= MOST_DEATHS) {
    block.answer.reject(
      new Error(
        `Expected the tokenizer to count ${block.texts.length} texts, but its process died ${MOST_DEATHS} times over them; the last time ${reason}. ` +
          'Is the machine short of memory (it needs 300 MB), or the installation incomplete? Run `npm ci`, and the same command again.',
      ),
    );
  }
  return block.deaths;
};

const miscounted = ({ texts }: Block, counts: readonly number[]): Error =>
  new Error(
    `Expected the tokenizer to answer ${texts.length} counts, got ${counts.length}. Run \`npm ci\` again.`,
  );
