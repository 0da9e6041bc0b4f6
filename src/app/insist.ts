/** Asks the record again while it is away: what a provider was paid for must not be lost to a restart or a full disk. */
import { RecordRefused } from './ledger.ts';
import { type Clock, type Log } from './ports.ts';

/** What insisting needs. */
export interface InsistTools {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends it: what is left to ask is asked once more, at once. */
  readonly signal: AbortSignal;
}

/** The waits, in ms; the last one repeats. */
const AGAIN_AFTER_MS = [500, 2_000, 8_000, 20_000] as const;

/**
 * The value of `ask`, which is asked until the record answers or the signal aborts. Only for what may be done twice: an
 * error does not tell whether the record was changed.
 *
 * @throws RecordRefused at once, and whatever the last one threw; the errors before are logged with `fields`.
 */
export const insist = async <Value>(
  { clock, log, signal }: InsistTools,
  fields: Readonly<Record<string, unknown>>,
  ask: () => Promise<Value>,
): Promise<Value> => {
  for (let asked = 0; ; asked += 1) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RecordRefused) throw error;
      log.error({ ...fields, err: error }, 'record.failed');
      if (signal.aborted) return await ask();
      await clock.sleepUntil(clock.nowMs() + (AGAIN_AFTER_MS[asked] ?? 20_000), signal);
    }
  }
};
