/** What the suite of {@link Batches} needs of an implementation, and the inputs that it submits. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { BatchInput, Batches, Submission } from '../../src/app/batches.ts';
import type { AskedTerms } from '../../src/core/batch-terms.ts';

/** One implementation, empty when it is opened. Lines become final only when the suite says so. */
export interface BatchesUnderTest extends AsyncDisposable {
  readonly batches: Batches;
  /** A pool whose lanes can serve any line of the suite. */
  readonly pool: string;
  /** A lane of that pool. */
  readonly laneId: string;
  /** Makes open lines final one after the other, as calls on `laneId` would. */
  finish(batchId: number, lines: readonly FinishedLine[]): Promise<void>;
  /** Does now what the service does by itself from time to time: cancelled lines end, and batches with their last line. */
  settle(): Promise<void>;
}

/** What becomes of a line. */
export interface FinishedLine {
  readonly customId: string;
  readonly succeeds: boolean;
}

/** Documents of these ids, one per line. */
export const documents = (...ids: readonly string[]): string =>
  ids.map((id) => `${JSON.stringify({ id, text: `What ${id} is about.` })}\n`).join('');

/** An input that holds this text. */
export const inputOf = (text: string, { isGzip = false } = {}): BatchInput => {
  const raw = isGzip ? gzipSync(text) : Buffer.from(text);
  let read = 0;
  const deliver = async function* (bytes: Buffer): AsyncGenerator<Buffer> {
    read = raw.length;
    yield bytes;
  };
  return {
    hash: createHash('sha256').update(raw).digest('hex'),
    byteLength: raw.length,
    shownAs: 'an input of the suite',
    isGzip,
    open: () => deliver(isGzip ? gunzipSync(raw) : raw),
    raw: () => deliver(raw),
    bytesRead: () => read,
  };
};

/** Terms of which none was said. */
export const NOTHING_ASKED: AskedTerms = {
  between: null,
  priority: null,
  deadline: null,
  timeZone: 'UTC',
};

/** A submission to a pool: documents to summarise, whose files nobody writes. */
export const submissionTo = (pool: string, changes: Partial<Submission> = {}): Submission => ({
  name: 'docs',
  task: { name: 'summarize' },
  pool,
  policy: null,
  maxCostNanoDollars: null,
  terms: NOTHING_ASKED,
  limit: null,
  fresh: false,
  identityName: null,
  outputPath: null,
  errorPath: null,
  ...changes,
});
