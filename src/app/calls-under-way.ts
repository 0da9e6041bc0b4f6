/** The calls that a process makes at one time, and giving up those that nobody needs any more. */
import type { GrantLedger, Slice } from './ledger.ts';
import type { Clock, Log } from './ports.ts';

/** The calls that this process makes now. */
export interface CallsUnderWay {
  has(grantId: number): boolean;
  /** Its signal aborts when nobody needs the slice any more. */
  enter(slice: Slice): AbortSignal;
  leave(slice: Slice): void;
  /** Aborts the calls whose requests another call has answered. */
  abandonUseless(): Promise<void>;
}

/** None yet. */
export const callsUnderWay = (ledger: GrantLedger): CallsUnderWay => {
  const running = new Map<number, AbortController>();
  return {
    has: (grantId) => running.has(grantId),
    enter(slice) {
      const controller = new AbortController();
      for (const grantId of slice) running.set(grantId, controller);
      return controller.signal;
    },
    leave(slice) {
      for (const grantId of slice) running.delete(grantId);
    },
    async abandonUseless() {
      const useless = new Set(await ledger.superseded([...running.keys()]));
      const needed = new Set(
        [...running].flatMap(([grantId, controller]) => (useless.has(grantId) ? [] : [controller])),
      );
      for (const controller of running.values()) if (!needed.has(controller)) controller.abort();
    },
  };
};

const LOOK_FOR_USELESS_MS = 500;

/** At the end nobody waits for a call whose request another lane has answered meanwhile. */
export const abandonUseless = async (
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  underWay: CallsUnderWay,
  consumed: Promise<unknown>,
): Promise<void> => {
  const over = new AbortController();
  consumed.finally(() => over.abort()).catch(() => {});
  while (!over.signal.aborted) {
    await underWay.abandonUseless().catch((error: unknown) => log.warn({ err: error }, 'calls.unknown'));
    await clock.sleepUntil(clock.nowMs() + LOOK_FOR_USELESS_MS, over.signal);
  }
};
