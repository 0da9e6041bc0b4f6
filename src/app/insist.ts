/** Asks the record again when it is away for a moment: what a provider was paid for must not be lost to a restart. */
import type { Clock, Log } from './ports.ts';

/** What insisting needs. */
export interface InsistTools {
  readonly clock: Clock;
  readonly log: Log;
  /** Cuts the waits short; what is left to ask is then asked at once. */
  readonly signal: AbortSignal;
}

/** In ms, half a minute together: a server that restarts is back in time. */
const AGAIN_AFTER_MS = [500, 2_000, 8_000, 20_000];

/**
 * The value of `ask`, which is asked up to five times. Only for what may be done twice: an error does not tell whether
 * the record was changed.
 *
 * @throws what the last one threw; the errors before are logged with `fields`.
 */
export const insist = async <Value>(
  { clock, log, signal }: InsistTools,
  fields: Readonly<Record<string, unknown>>,
  ask: () => Promise<Value>,
): Promise<Value> => {
  for (const waitMs of AGAIN_AFTER_MS) {
    try {
      return await ask();
    } catch (error) {
      log.error({ ...fields, err: error }, 'record.failed');
      await clock.sleepUntil(clock.nowMs() + waitMs, signal);
    }
  }
  return await ask();
};
