/** Keeps something going on each lane of a set that changes while it runs. */
import type { Clock, Log, WakeSignal } from './ports.ts';
import type { ServedLane } from './process-registry.ts';

/** What tending needs. */
export interface TendTools {
  readonly wake: WakeSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** The set is looked at again after this long even if nothing was heard. */
const LOOK_EVERY_MS = 5_000;
/** Not more often than this, however much is heard. */
const LOOK_AGAIN_AFTER_MS = 200;
/** A lane that has left the set is kept for this long: the next batch often wants the same ones. */
const KEEP_MS = 30_000;

/**
 * Runs `tend` for each lane that `lanes` answers, from when it is first there until some time after it has gone, or until
 * it has changed, and then anew; its signal aborts then. Looks again whenever there is news. Resolves when the signal has aborted and everything has ended.
 */
export const tendLanes = async (
  { wake, clock, log }: TendTools,
  lanes: () => Promise<readonly ServedLane[]>,
  tend: (lane: ServedLane, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const tended = new Map<string, Tended>();
  const running = new Set<Promise<void>>();
  let news = new AbortController();
  const stopListening = wake.listen((woken) => {
    if (woken === '*') news.abort();
  });

  const start = (served: ServedLane): void => {
    const laneId = served.lane.id;
    const leave = new AbortController();
    const entry = { leave, words: JSON.stringify(served), lastWantedAtMs: clock.nowMs() };
    tended.set(laneId, entry);
    const ended = tend(served, AbortSignal.any([leave.signal, signal]))
      .catch((error: unknown) => log.error({ laneId, err: error }, 'lane.failed'))
      .finally(() => {
        running.delete(ended);
        // One that failed is started again at the next look.
        if (tended.get(laneId) === entry) tended.delete(laneId);
      });
    running.add(ended);
  };

  while (!signal.aborted) {
    news = new AbortController();
    try {
      for (const served of await lanes()) {
        const known = tended.get(served.lane.id);
        if (known?.words === JSON.stringify(served)) known.lastWantedAtMs = clock.nowMs();
        else {
          known?.leave.abort();
          start(served);
        }
      }
      forget(tended, clock.nowMs() - KEEP_MS);
    } catch (error) {
      log.error({ err: error }, 'lanes.unknown');
    }
    await clock.sleepUntil(clock.nowMs() + LOOK_AGAIN_AFTER_MS, signal);
    await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS, AbortSignal.any([news.signal, signal]));
  }
  stopListening();
  await Promise.all(running);
};

interface Tended {
  readonly leave: AbortController;
  /** The lane as it was when it was begun with. */
  readonly words: string;
  lastWantedAtMs: number;
}

const forget = (tended: Map<string, Tended>, beforeMs: number): void => {
  for (const [laneId, { leave, lastWantedAtMs }] of tended) {
    if (lastWantedAtMs >= beforeMs) continue;
    leave.abort();
    tended.delete(laneId);
  }
};
