/**
 * What the use cases need from the outside, named by the need and owned here. Adapters implement these; the
 * contract suites in test/ hold every implementation to the same words.
 */
import type { Settlement } from '../core/failures/next-step.ts';
import type { ModelResolution } from '../core/lines/chat-request.ts';
import type { Lane, Limit, Pool, Provider, TokenUsage } from '../core/model.ts';

/** Time as the record tells it; see `clock` in the record. */
export interface Clock {
  nowMs(): number;
  /** Resolves at the instant, or as soon as the signal aborts; never rejects. */
  sleepUntil(atMs: number, signal: AbortSignal): Promise<void>;
}

/** One lane as the dispatcher asks for grants on it. */
export interface GrantOrder {
  readonly lane: Lane;
  /** The size of call that the lane would rather make than any other, in tokens; see core/matching.ts. */
  readonly targetTokens: number;
  /** At most this many grants; free call slots of live workers bound them too. */
  readonly atMost: number;
}

/** Grants that one job runs one after the other in one call slot; ids ascending, never empty. */
export type Slice = readonly number[];

/** What came of a {@link GrantOrder}. */
export interface Granted {
  /** Empty if there was no room or no work. */
  readonly slices: readonly Slice[];
  /** Why there are not more; empty if `atMost` was reached. */
  readonly stoppedBy: '' | 'paused' | 'closed' | 'no-slot' | 'no-room' | 'no-work';
  /** When it is worth asking again; `null` if only an event can change the answer. */
  readonly wakeAtMs: number | null;
}

/** An earlier attempt at a request, for decisions and for the provenance of its final line. */
export interface PastAttempt {
  readonly lane: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly begunAtMs: number | null;
  readonly durationMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Somebody has retried the request since: told in the provenance, not held against it. */
  readonly isBeforeRetry: boolean;
}

/** A call that may be made now: it is counted from here on, whatever becomes of it. */
export interface BegunCall {
  readonly grantId: number;
  readonly requestId: number;
  readonly laneId: string;
  readonly begunAtMs: number;
  /** Reserved for the prompt and for the answer, the latter cut to what this lane can give. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** The line named its own output bound; otherwise `outputTokens` is our cap. */
  readonly outputIsAsked: boolean;
  /** What another lane would reserve for the answer, if it can give as much. */
  readonly mostOutputTokens: number;
  readonly customId: string;
  /** The input line as it came. */
  readonly line: string;
  /** The batch's task as it was stored, or `null` for OpenAI batch lines. */
  readonly task: unknown;
  readonly tries: number;
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  readonly droppedParameters: readonly string[];
  /** The lanes of the request's pool, by its batch's configuration; this process may not know them all. */
  readonly poolLaneIds: readonly string[];
  readonly trail: readonly PastAttempt[];
}

/** What became of a begun call and what follows for its request. */
export interface FinishedCall {
  readonly grantId: number;
  readonly outcome: string;
  readonly reason: string | null;
  readonly usage: TokenUsage | null;
  /** From the call to its answer; `null` if it was never made. */
  readonly durationMs: number | null;
  readonly settlement: Settlement;
  readonly countsAsTry: boolean;
  readonly next:
    | { readonly kind: 'succeeded' | 'failed'; readonly line: string }
    | { readonly kind: 'pending'; readonly avoidUntilMs: number | null }
    | { readonly kind: 'parked'; readonly untilMs: number };
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  readonly droppedParameters: readonly string[];
  /** A larger bound of the answer for the next attempt; `null`: as before. */
  readonly outputCapTokens: number | null;
}

/** The record will not take this, however often it is told; unlike one that is away for a moment. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused';
}

/** Grants and the quota they are paid with. Every method is one atomic change of the record. */
export interface GrantLedger {
  /** Takes quota and claims requests; see `grant_requests` in the record. */
  grant(order: GrantOrder): Promise<Granted>;
  /** Begins calls; grants that may not begin any more are missing from the answer. */
  begin(grantIds: readonly number[], workerId: number): Promise<readonly BegunCall[]>;
  /** Stores outcomes, settles quota and moves the requests on; fenced by the grant. */
  finish(calls: readonly FinishedCall[]): Promise<void>;
  /** Cleans up after dead processes and wakes what is due. */
  sweep(): Promise<Swept>;
  /** Forgets, and answers, the lanes that had a queue and are neither wanted nor served any more. */
  forgetUnusedQueues(): Promise<readonly string[]>;
}

/** What a sweep found. */
export interface Swept {
  /** Granted 2 s ago or more and not begun: their jobs may be lost. */
  readonly missingJobs: readonly { readonly laneId: string; readonly slice: Slice }[];
  /** When the next parked request falls due. */
  readonly nextDueAtMs: number | null;
}

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
  /** Lets the batch's names stand for the lanes that this routing gives them. */
  adoptConfiguration(batchId: number, routing: Routing): Promise<void>;
  /** Adds the lanes that the routing gives its names and that it may not use yet. Never takes one away. */
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

/** Why a lane or a provider takes no calls for now. */
export interface Closing {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly untilMs: number;
  readonly kind: string;
  readonly reason: string;
  /** Nothing but a new key or money opens it; `untilMs` is then only when it is tried again. */
  readonly needsUser: boolean;
}

/** Health of lanes and providers, shared by all processes. */
export interface HealthBook {
  /** Nothing more is granted on the lane until it is resumed; what was granted and not begun goes back. */
  pause(laneId: string): Promise<void>;
  resume(laneId: string): Promise<void>;
  close(closing: Closing): Promise<void>;
  /** Counts a sick outcome of a lane or provider and opens its circuit breaker when it is time. */
  sick(scope: string, reason: string, random01: number): Promise<void>;
  /** Counts an answer that says the model is gone; the second in a row retires the lane for a day. */
  gone(laneId: string, reason: string): Promise<void>;
  closings(): Promise<readonly Closing[]>;
}

/** What a process does. Each role may run in any number of processes, together or apart. */
export type Role = 'api' | 'dispatcher' | 'worker';

/** A lane with what of its provider a dispatcher needs to know. */
export interface ServedLane {
  readonly lane: Lane;
  readonly provider: Provider;
}

/** One limit as a configuration has it; `calls` are calls at once. */
export interface ScopedLimit {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly metric: Limit['metric'] | 'calls';
  /** The window in words; equal for equal windows. */
  readonly window: string;
  readonly amount: number;
}

/** What a process says of itself. */
export interface Announcement {
  readonly roles: readonly Role[];
  /** Those it makes calls on; empty unless it is a worker. */
  readonly lanes: readonly ServedLane[];
  /** Equal for equal configurations. */
  readonly configHash: string;
  readonly limits: readonly ScopedLimit[];
}

/** A process that lives, as far as anybody can tell. */
export interface LiveProcess extends Omit<Announcement, 'lanes'> {
  readonly id: number;
  readonly host: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly laneIds: readonly string[];
}

/** This process's place among those that are at work. */
export interface Seat {
  readonly id: number;
  /** Gives the seat up; its open calls are treated as lost. */
  leave(): Promise<void>;
}

/** Who is at work, in which roles, and on which lanes. */
export interface ProcessRegistry {
  join(announcement: Announcement): Promise<Seat>;
  processes(): Promise<readonly LiveProcess[]>;
  /** The lanes on which a live worker makes calls, as the worker that started last has them. */
  servedLanes(): Promise<readonly ServedLane[]>;
  /** The lanes that some batch in progress may use. */
  wantedLaneIds(): Promise<ReadonlySet<string>>;
}

/** A queue per lane; jobs carry grant ids. Disposable: what is lost is added again. */
export interface LaneQueues {
  add(laneId: string, slices: readonly Slice[]): Promise<void>;
  /**
   * Adds jobs for grants whose first job may be lost, or held by a process that died. Where it was not, a grant has two
   * jobs, and the second finds that the call has begun.
   */
  addAgain(laneId: string, slices: readonly Slice[]): Promise<void>;
  /** Runs `work` for each job of the lane, `concurrency` at once. A rejection shows on the board, no more. */
  consume(served: ServedLane, work: (slice: Slice) => Promise<void>): Promise<Consumer>;
  /** Removes the queue of a lane that nobody serves any more, with all that is left in it. */
  remove(laneId: string): Promise<void>;
}

/** Takes jobs of one lane. */
export interface Consumer {
  /** Takes no more jobs and waits for those under way. */
  stop(): Promise<void>;
}

/** What came back from a provider, before anybody judged it. */
export type ProviderReply =
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly bodyText: string;
    }
  | {
      readonly kind: 'transport';
      readonly problem: 'timeout' | 'reset' | 'refused' | 'dns' | 'tls' | 'aborted' | 'unknown';
      readonly message: string;
    };

/** Makes one call on one lane. Never retries by itself, never throws for what a provider does. */
export interface ProviderClient {
  chat(lane: Lane, body: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ProviderReply>;
}

/** Tells when lanes of a provider may have room; `'*'`: when any lane may have work. */
export interface WakeSignal {
  listen(wake: (providerId: string) => void): () => void;
}

/** Structured log; never holds document text or keys. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, event: string): void;
  warn(fields: Readonly<Record<string, unknown>>, event: string): void;
  error(fields: Readonly<Record<string, unknown>>, event: string): void;
}

/** The lanes and pools of this process's configuration. */
export interface Routing {
  readonly providers: readonly Provider[];
  lane(laneId: string): Lane | undefined;
  provider(providerId: string): Provider | undefined;
  /** Lanes a request's model name stands for; empty if it stands for none. */
  lanesOf(poolName: string): readonly Lane[];
  /** The same by ids, or the names that resemble one that is unknown. */
  resolveModel(name: string): ModelResolution;
  readonly pools: readonly Pool[];
}
