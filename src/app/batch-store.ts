/** Batches, their lines and their final lines, as the record keeps them. */
import type { Policy } from '../core/policy.ts';
import type { PastAttempt } from './ledger.ts';
import type { Routing } from './ports.ts';

/** One line on its way into the record. A bad line's `line` is its finished error line. */
export interface IngestRow {
  readonly lineNumber: number;
  readonly customId: string | null;
  readonly line: string;
  /** The name the request is routed by; `null` for bad lines. */
  readonly poolName: string | null;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly outputIsAsked: boolean;
  readonly state: 'pending' | 'bad';
}

/** A batch before its lines are in. */
export interface NewBatch {
  /** Equal for the same input, task and policy. */
  readonly identity: string;
  readonly name: string;
  readonly task: unknown;
  /** `null`: any lane may serve it. */
  readonly policy: Policy | null;
  readonly outputPath: string | null;
  readonly errorPath: string | null;
  /** Its names stand for what the service's configuration says, whoever submitted it. */
  readonly isServed: boolean;
}

/** A batch as it stands. */
export interface Batch {
  readonly id: number;
  readonly identity: string;
  readonly name: string;
  readonly state: 'in_progress' | 'cancelling' | 'cancelled' | 'completed';
  /** Nothing is granted to it until it is resumed. */
  readonly isPaused: boolean;
  /** Its pools hold no lane that does not qualify; `null`: any may serve it. */
  readonly policy: Policy | null;
  /** `null` where nobody writes files. */
  readonly outputPath: string | null;
  readonly errorPath: string | null;
  readonly createdAtMs: number;
  readonly completedAtMs: number | null;
  readonly total: number;
  readonly bad: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A place in a batch's results by order of completion; `null` is the beginning. */
export type ResultCursor = { readonly writtenBy: string; readonly sequence: number } | null;

/** An open request of a batch that is being cancelled. */
export interface OpenRequest {
  readonly requestId: number;
  readonly customId: string;
  readonly trail: readonly PastAttempt[];
}

/** A final line. */
export interface FinalLine {
  readonly succeeded: boolean;
  readonly line: string;
}

/** Batches, their lines and their results. */
export interface BatchStore {
  findByIdentity(identity: string): Promise<Batch | null>;
  /** The unfinished batch that will write this file, if any. */
  findUnfinishedByOutput(outputPath: string): Promise<Batch | null>;
  find(batchId: number): Promise<Batch | null>;
  /** The latest of that name. */
  findByName(name: string): Promise<Batch | null>;
  /** Latest first, those before an id if it is given. */
  list(page: { readonly atMost: number; readonly beforeId: number | null }): Promise<readonly Batch[]>;
  /**
   * Takes all lines in one transaction. Of equal custom ids the first good line stays; `duplicateLine` makes the error
   * line of the others. Nothing remains of a batch without a good line, or of one whose rows break off. A batch of
   * the same identity that another process takes in at the same time is waited for and answered instead.
   */
  ingest(
    batch: NewBatch,
    routing: Routing,
    rows: AsyncIterable<readonly IngestRow[]>,
    duplicateLine: (lineNumber: number, customId: string, firstLineNumber: number) => string,
  ): Promise<
    { readonly kind: 'created' | 'exists'; readonly batch: Batch } | { readonly kind: 'no-good-line' }
  >;
  /** Lets the batch's names stand for the lanes that this routing gives them and its policy allows. */
  adoptConfiguration(batchId: number, routing: Routing): Promise<void>;
  /**
   * Adds the lanes that the routing gives its names, its policy allows, and it may not use yet. Takes away those alone that
   * do not qualify by what this routing knows of them.
   */
  addLanes(batchId: number, routing: Routing): Promise<void>;
  /** The batches in progress whose names stand for what the service's configuration says. */
  servedBatchIds(): Promise<readonly number[]>;
  /** The names that requests of the batch are routed by. */
  poolNamesOf(batchId: number): Promise<readonly string[]>;
  /** Removes a batch and all that belongs to it. */
  remove(batchId: number): Promise<void>;
  setOutput(batchId: number, outputPath: string, errorPath: string): Promise<void>;
  setPaused(batchId: number, isPaused: boolean): Promise<void>;
  /** From `in_progress` to `cancelling`: nothing more is granted. Its lines are ended by {@link BatchStore.cancelOpen}. */
  startCancelling(batchId: number): Promise<void>;
  cancellingIds(): Promise<readonly number[]>;
  /** Ends up to so many open lines of a batch that is being cancelled; answers how many. Calls under way are left alone. */
  cancelOpen(batchId: number, lineOf: (request: OpenRequest) => string, atMost: number): Promise<number>;
  /** Failed (and cancelled) lines are pending again; answers how many. See `retry_batch` in the record. */
  retry(batchId: number, poolName: string | null, routing: Routing): Promise<number>;
  /** Final lines after a cursor in order of completion; nothing appears later before the cursor. At most `atMost`. */
  resultsSince(
    batchId: number,
    cursor: ResultCursor,
    atMost: number,
  ): Promise<{ readonly lines: readonly FinalLine[]; readonly cursor: ResultCursor }>;
  /** All final lines in input order, bad lines among them. Lines that are not final yet are left out. */
  finalLines(batchId: number): AsyncIterable<readonly FinalLine[]>;
  /** The bad ones among them. */
  badLines(batchId: number): AsyncIterable<readonly FinalLine[]>;
}
