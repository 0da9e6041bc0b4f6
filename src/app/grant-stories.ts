/**
 * What the board asks the record beside `Batches`: the stories behind jobs, which carry nothing but grant ids, and the
 * roll of all batches, page by page.
 */
import type { Batch } from './batch-store.ts';

/** A grant with the line it was given for and what became of it. */
export interface GrantStory {
  readonly grantId: number;
  readonly laneId: string;
  readonly batchId: number;
  readonly batchName: string;
  readonly customId: string;
  /** In the input, from 1. */
  readonly lineNumber: number;
  /** `granted`, `begun` or `closed`. */
  readonly state: string;
  /** What became of the call; `null` until it is closed. */
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly grantedAtMs: number;
  readonly begunAtMs: number | null;
  readonly closedAtMs: number | null;
  /** As the provider reported them; `null` where it did not. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** The input line as it came; `null` if the record does not keep it any more. */
  readonly line: string | null;
}

/** Tells what grants were for. */
export interface GrantStories {
  /** In any order; grants whose batch was removed are missing. */
  storiesOf(grantIds: readonly number[]): Promise<readonly GrantStory[]>;
}

/**
 * A batch belongs to exactly one group:
 * - `running`: in progress and not paused;
 * - `paused`: in progress and paused;
 * - `completed`;
 * - `cancelled`: cancelled or expired, or on the way there.
 */
export type BatchGroup = 'running' | 'paused' | 'completed' | 'cancelled';

/** All batches by group, however many there are. Neither method reads a request. */
export interface BatchRoll {
  counts(): Promise<Readonly<Record<BatchGroup, number>>>;
  /** The batches of one group, latest first, without the first `skip`; at most `atMost`, which is at most 1,000. */
  page(
    group: BatchGroup,
    range: { readonly skip: number; readonly atMost: number },
  ): Promise<readonly Batch[]>;
}
