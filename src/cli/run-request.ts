/** What a run is asked, and whom it tells. */
import type { Submitted } from '../app/batches.ts';
import type { Progress } from '../app/progress.ts';
import type { AskedTerms } from '../core/batch-terms.ts';
import type { Policy } from '../core/policy.ts';
import type { TaskSpec } from '../core/tasks/task-spec.ts';

/** What the command line asked for. */
export interface RunRequest {
  /** A path, or `-`. */
  readonly input: string;
  readonly output: string;
  readonly errors: string;
  readonly task: TaskSpec | null;
  readonly pool: string | null;
  /** Which lanes its prompts may go to; `null` for any. */
  readonly policy: Policy | null;
  /** What its calls on paid lanes may cost together; `null`: not said. */
  readonly maxCostNanoDollars: number | null;
  /** When it may run, before whom, and until when. */
  readonly terms: AskedTerms;
  readonly name: string;
  readonly limit: number | null;
  /** Forget what the record holds of this input and begin again. */
  readonly fresh: boolean;
}

/** Told what happens, as it happens. */
export interface RunListener {
  ingesting(status: { readonly lines: number; readonly bytesRead: number; readonly bytes: number }): void;
  ingested(submitted: Submitted): void;
  /** What the user has to be told before work begins. It counts as told when this returns. */
  noticed(notices: readonly string[]): void;
  /** The progress's lanes are those the batch may run on. */
  progressed(progress: Progress): void;
  draining(callsUnderWay: number): void;
}

/** A run that could not begin or go on; the message says why and what to do. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}
