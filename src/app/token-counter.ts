/** The port to the tokenizer: heavy, so it is there only while somebody has it open. */

/** Counts tokens by the vocabulary that all requests are measured in. */
export interface TokenCounter {
  /**
   * The tokens of each text, in order; never throws for what a text holds.
   *
   * @throws if the tokenizer died twice over these texts, or cannot be started.
   */
  readonly count: (texts: readonly string[]) => Promise<readonly number[]>;
}

/** Where tokens are counted. */
export interface Tokenizer {
  /** Starts it at once where it is not running, and keeps it until this is disposed. */
  readonly open: () => TokenCounter & Disposable;
}
