/** A tokenizer for tests, without a vocabulary and without a process. */
import type { TokenCounter, Tokenizer } from '../../src/app/token-counter.ts';

/** Counts a token for every four characters. */
export const fourCharactersAToken: TokenCounter = {
  count: async (texts) => texts.map(({ length }) => Math.ceil(length / 4)),
};

/** Open at any time. */
export const fakeTokenizer: Tokenizer = {
  open: () => ({ ...fourCharactersAToken, [Symbol.dispose]: () => {} }),
};
