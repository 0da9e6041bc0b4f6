/**
 * What the use cases need from the outside, named by the need and owned here. The larger needs have files of their own:
 * ledger.ts, batch-store.ts, health-book.ts, process-registry.ts, token-counter.ts. Adapters implement these; the contract suites in test/ hold every
 * implementation to the same words.
 */
import type { ModelResolution } from '../core/lines/chat-request.ts';
import type { Lane, Pool, Provider } from '../core/model.ts';
import type { NamedPrice } from '../core/money/price.ts';
import type { Slice } from './ledger.ts';
import type { ServedLane } from './process-registry.ts';

/** Time as the record tells it; see `clock` in the record. */
export interface Clock {
  nowMs(): number;
  /** Resolves at the instant, or as soon as the signal aborts; never rejects. */
  sleepUntil(atMs: number, signal: AbortSignal): Promise<void>;
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
  chat(lane: Lane, body: Readonly<Record<string, unknown>>, ties: CallTies): Promise<ProviderReply>;
}

/** What a call is told and tells while it lasts. */
export interface CallTies {
  /** Ends the call. */
  readonly signal: AbortSignal;
  /** Told when it goes out on a connection that stands, which for the first ones of a process may take a while. Not told where it never does. */
  readonly sent?: () => void;
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
  /** What work would cost if it were paid for: the lanes that have a price, else models of the catalog. */
  readonly prices: readonly NamedPrice[];
}
