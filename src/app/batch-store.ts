/** Batches, their lines and their final lines, as the record keeps them. */
import type { BatchTerms } from '../core/batch-terms.ts';
import type { Policy } from '../core/policy.ts';
import type { PastAttempt } from './ledger.ts';
import type { PaymentTerm } from './planning.ts';
import type { Routing } from './ports.ts';

/** One line on its way into the record. A bad line's `line` is its finished error line. */
export interface IngestRow {
  readonly lineNumber: number;
  readonly customId: string | null;
  readonly line: string;
  /** The name the request is routed by; `null` for bad lines. */
  readonly poolName: string | null;
  readonly promptTokens: number;
  /** What any tokenizer makes of what is sent at most; `null`: only a lane's context bounds it. */
  readonly mostPromptTokens: number | null;
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
  /** What its calls on paid lanes may cost together; `null`: it is never granted on one. */
  readonly maxCostNanoDollars: number | null;
  readonly terms: BatchTerms;
  /** What its deadline was asked for as; `null` where there is none. */
  readonly deadlineText: string | null;
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
  /** `expiring`, then `expired`: its deadline came, and ended lines that were not done. */
  readonly state: 'in_progress' | 'cancelling' | 'cancelled' | 'expiring' | 'expired' | 'completed';
  /** Nothing is granted to it until it is resumed. */
  readonly isPaused: boolean;
  /** Its pools hold no lane that does not qualify; `null`: any may serve it. */
  readonly policy: Policy | null;
  /** What its calls on paid lanes may cost together; `null`: it is never granted on one. */
  readonly maxCostNanoDollars: number | null;
  /** What calls that are over have cost. */
  readonly spentNanoDollars: number;
  /** What calls under way may cost at most; with what is spent it is never more than the budget. */
  readonly heldNanoDollars: number;
  /** The least that a call on a paid lane needed when what was left covered none; `null`: none was refused since. */
  readonly refusedNanoDollars: number | null;
  readonly terms: BatchTerms;
  /** What its deadline was asked for as: the same again is no other deadline. `null` where there is none. */
  readonly deadlineText: string | null;
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
  readonly expired: number;
  /** Of the lines that succeeded, by their last calls alone. */
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A place in a batch's results by order of completion; `null` is the beginning. */
export type ResultCursor = { readonly writtenBy: string; readonly sequence: number } | null;

/** An open request of a batch that is being cancelled, or expiring. */
export interface OpenRequest {
  readonly kind: 'cancelled' | 'expired';
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
  /** A batch in progress goes by these terms from now on; see `set_terms` in the record. */
  setTerms(batchId: number, terms: BatchTerms, deadlineText: string | null): Promise<void>;
  /** Whether the record can tell the time in that zone, too. */
  knowsTimeZone(name: string): Promise<boolean>;
  setPaused(batchId: number, isPaused: boolean): Promise<void>;
  /**
   * So many more of its requests may be granted on paid lanes, as far as its budget covers them; what was allowed before is
   * forgotten. Nothing for a batch without a budget.
   */
  allowPaid(batchId: number, requests: number, term: PaymentTerm): Promise<void>;
  /** A new budget, below what is spent or not; its names then stand for what this routing gives them under it. */
  setMaxCost(batchId: number, maxCostNanoDollars: number | null, routing: Routing): Promise<void>;
  /** From `in_progress` to `cancelling`: nothing more is granted. Its lines are ended by {@link BatchStore.cancelOpen}. */
  /** From `in_progress` to `cancelling`: nothing more is granted. Its lines are ended by {@link BatchStore.endOpen}. */
  startCancelling(batchId: number): Promise<void>;
  /** The batches whose open lines are to be ended: they are being cancelled, or expiring. */
  endingIds(): Promise<readonly number[]>;
  /** Ends up to so many open lines of such a batch; answers how many. Calls under way are left alone. */
  endOpen(batchId: number, lineOf: (request: OpenRequest) => string, atMost: number): Promise<number>;
  /** Failed (and cancelled or expired) lines are pending again; answers how many. See `retry_batch` in the record. */
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
