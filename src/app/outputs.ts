/** The files of a batch: what grows while it runs, and what stands when it is done. */
import type { BatchStore, FinalLine, ResultCursor } from './batch-store.ts';

/** A file that appears whole: written beside its place, then renamed into it. */
export interface WholeFile {
  writeLines(lines: readonly string[]): Promise<void>;
  /** Everything is on disk and the file is in its place. */
  complete(): Promise<void>;
  /** What was written is thrown away; an older file at the place stays. */
  discard(): Promise<void>;
  /** Nothing stands at the place any more. */
  remove(): Promise<void>;
}

/** A file that grows line by line and is removed at the end. */
export interface GrowingFile {
  append(lines: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

/** How many results are read at a time. */
const PAGE = 50;

/** Appends successes in the order of completion to a partial file, from the beginning. */
export const partialWriter = (
  store: BatchStore,
  batchId: number,
  file: GrowingFile,
): (() => Promise<void>) => {
  let cursor: ResultCursor = null;
  return async () => {
    for (;;) {
      const page = await store.resultsSince(batchId, cursor, PAGE);
      if (page.lines.length === 0) return;
      await file.append(page.lines.filter((line) => line.succeeded).map(({ line }) => line));
      cursor = page.cursor;
    }
  };
};

/**
 * Writes the final lines: successes to one file and all other lines to the other, both in input order. Without any other line there is
 * no second file.
 */
export const writeOutputs = async (
  finalLines: AsyncIterable<readonly FinalLine[]>,
  output: WholeFile,
  errors: WholeFile,
): Promise<{ readonly succeeded: number; readonly others: number }> => {
  const counts = { succeeded: 0, others: 0 };
  try {
    for await (const page of finalLines) {
      const good = page.filter((line) => line.succeeded).map(({ line }) => line);
      const bad = page.filter((line) => !line.succeeded).map(({ line }) => line);
      await output.writeLines(good);
      await errors.writeLines(bad);
      counts.succeeded += good.length;
      counts.others += bad.length;
    }
    await (counts.others > 0 ? errors.complete() : errors.remove());
    await output.complete();
    return counts;
  } catch (error) {
    await Promise.all([output.discard(), errors.discard()]);
    throw error;
  }
};
