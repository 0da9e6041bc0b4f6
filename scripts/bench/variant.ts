/** What is compared: ways to make the same calls. */
import type { InstantProvider } from './instant-provider.ts';
import type { Usage } from './process-watch.ts';

/** Where a variant works. */
export interface Setting {
  readonly provider: InstantProvider;
  /** Calls under way at once. */
  readonly concurrency: number;
  /** The variant's own, empty. */
  readonly directory: string;
}

/** One way to make calls. */
export interface Variant {
  readonly id: string;
  readonly title: string;
  /** Starts what it needs before the first batch. */
  start(setting: Setting): Promise<RunningVariant>;
}

/** A variant that is ready. Disposing ends all that it started. */
export interface RunningVariant extends AsyncDisposable {
  /** Makes a call per line of a new batch. Resolves when the variant considers it done. */
  measure(lines: number): Promise<Measurement>;
}

/** One batch. Instants are in milliseconds since 1970. */
export interface Measurement {
  readonly lines: number;
  readonly startedAtMs: number;
  readonly firstCallAtMs: number;
  readonly lastAnswerAtMs: number;
  readonly endedAtMs: number;
  /** From the grant of a call to the call; `null` for those who grant nothing. */
  readonly grantToCall: GrantToCall | null;
  readonly usages: readonly Usage[];
}

/** Half of the calls, and 99 of 100, waited no longer than this. */
export interface GrantToCall {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Milliseconds from the first call's arrival to the last answer. */
export const spanMs = ({ firstCallAtMs, lastAnswerAtMs }: Measurement): number =>
  lastAnswerAtMs - firstCallAtMs;
