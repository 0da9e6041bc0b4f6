/**
 * What can be done with batches, from wherever it is asked: the command line on the record itself, the HTTP interface,
 * and the client of another process's HTTP interface all speak these words.
 */
import type { AskedTerms, BatchTerms } from '../core/batch-terms.ts';
import type { Policy } from '../core/policy.ts';
import type { TaskSpec } from '../core/tasks/task-spec.ts';
import type { LaneTotal } from './explain.ts';
import type { LaneProgress, Progress } from './progress.ts';
import type { Batch, FinalLine } from './batch-store.ts';
import type { Reasons } from './read-requests.ts';

/** What a batch is submitted with, beside its lines. */
export interface Submission {
  readonly name: string;
  /** What is asked about each document; `null`: every line is an OpenAI batch line of its own. */
  readonly task: TaskSpec | null;
  /** The pool, alias, lane or model of every line; `null`: each line's own model, documents `small`. */
  readonly pool: string | null;
  /** Which lanes its prompts may go to, whatever fails; `null` for any. */
  readonly policy: Policy | null;
  /**
   * What its calls on paid lanes may cost together; `null`: nothing paid is called, or of a batch that is known, what was said
   * before. No part of what it is known by.
   */
  readonly maxCostNanoDollars: number | null;
  /** When it may run, before whom, and until when. No part of what the batch is known by: a known one goes by them from now on. */
  readonly terms: AskedTerms;
  /** Only the first so many good lines; `null` takes all. */
  readonly limit: number | null;
  /** Give up what the record holds of this input, and an unfinished batch with the same `outputPath`. */
  readonly fresh: boolean;
  /** Makes equal inputs of different names different batches: for standard input, which has no name of its own. */
  readonly identityName: string | null;
  /** Where its files will be written; `null` where nobody writes files and results are asked for. */
  readonly outputPath: string | null;
  readonly errorPath: string | null;
}

/** The lines of a batch, readable more than once. */
export interface BatchInput {
  /** SHA-256 of the bytes as they came, in hex. */
  readonly hash: string;
  readonly byteLength: number;
  /** What messages call it: a path, `standard input`, `the request's body`. */
  readonly shownAs: string;
  /** Whether {@link raw} is gzipped. */
  readonly isGzip: boolean;
  /** The bytes, unpacked. */
  open(): AsyncIterable<Buffer>;
  /** The bytes as they came. */
  raw(): AsyncIterable<Buffer>;
  /** How many bytes the last `open` or `raw` has read so far. */
  bytesRead(): number;
}

/** How far the reading of an input is. */
export interface IngestStatus {
  readonly lines: number;
  readonly bytesRead: number;
  readonly bytes: number;
}

/** What came of a submission. */
export interface Submitted {
  readonly batch: Batch;
  /** Why lines were refused; empty for a batch that was known. */
  readonly reasons: Reasons;
  /** The record knew the batch already: nothing was added. */
  readonly isKnown: boolean;
  /** What a known batch went by before, where this submission has changed that; else `null`. */
  readonly formerTerms: BatchTerms | null;
  /** What nobody was told yet about the providers it may go to; one sentence each. See {@link Batches.markTold}. */
  readonly notices: readonly string[];
}

/** What came of a retry. */
export interface Retried {
  readonly batch: Batch;
  readonly lines: number;
  /** As for {@link Submitted}. */
  readonly notices: readonly string[];
}

/** How a batch stands, with the lanes it may run on. */
export interface BatchStatus {
  readonly progress: Progress;
  readonly laneIds: readonly string[];
  /** What somebody should know: lanes without a worker, limits that processes disagree about. One sentence each. */
  readonly warnings: readonly string[];
}

/** Which final lines, and in which order. */
export interface ResultQuery {
  /** `input` leaves gaps where lines are not final yet. */
  readonly order: 'input' | 'completion';
  readonly only: 'all' | 'succeeded' | 'others';
}

/** What {@link Batches} refuses. The message says why and what to do; it is meant for the person who asked. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused';
  /** `not-found`: no such batch or lane; `conflict`: not in its state; `invalid`: what was asked makes no sense; `unready`: try again later. */
  readonly kind: 'not-found' | 'conflict' | 'invalid' | 'unready';

  constructor(kind: BatchRefused['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The ref of exactly that batch, whatever others are called. */
export const refOf = ({ id }: Pick<Batch, 'id'>): string => `id:${id}`;

/** Batches by `ref`: a name (the latest of that name), an id, or {@link refOf}. Every method throws {@link BatchRefused}. */
export interface Batches {
  /** Takes the lines in; the same input, task and policy again answers the batch that is known, on the terms of now. */
  submit(
    submission: Submission,
    input: BatchInput,
    tell: (status: IngestStatus) => void,
    signal: AbortSignal,
  ): Promise<Submitted>;
  /** Latest first; `beforeId` continues a list. At most `atMost`, which is at most 1,000. */
  list(page: { readonly atMost: number; readonly beforeId: number | null }): Promise<readonly Batch[]>;
  status(ref: string): Promise<BatchStatus>;
  /** Final lines so far; all of them once the batch is over. Some at a time. */
  results(ref: string, query: ResultQuery): AsyncIterable<readonly FinalLine[]>;
  /** Nothing more is granted; calls under way end, every other open line becomes an error line `batch_cancelled`. */
  cancel(ref: string): Promise<Batch>;
  /** Nothing more is granted to it until it is resumed; calls under way end. */
  pause(ref: string): Promise<Batch>;
  resume(ref: string): Promise<Batch>;
  /** Failed lines (and, of a cancelled or expired batch, those that this ended) are pending again, with all their tries; on `pool` if it is given. */
  retry(ref: string, options: { readonly pool: string | null }): Promise<Retried>;
  /**
   * These notices were shown, and are not given again. Until then every answer has them; a service marks what it has
   * answered by itself.
   */
  markTold(notices: readonly string[]): Promise<void>;
  /** What each lane did for the batch; lanes that did nothing are missing. Reads every attempt of the batch. */
  laneTotals(ref: string): Promise<readonly LaneTotal[]>;
  /** Every lane that this service knows, with its use. */
  lanes(): Promise<readonly LaneProgress[]>;
  /** Nothing more is granted on the lane, for any batch, until it is resumed. */
  pauseLane(laneId: string): Promise<void>;
  resumeLane(laneId: string): Promise<void>;
}
