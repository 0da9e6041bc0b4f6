/** The dispatcher: grants calls on each lane as soon as it has room and work, and puts them into its queue. */
import { targetTokens } from '../core/matching.ts';
import type { Lane } from '../core/model.ts';
import type { Clock, Granted, GrantLedger, LaneQueues, Log, Routing, WakeSignal } from './ports.ts';

/** What dispatching needs. */
export interface DispatchTools {
  readonly ledger: GrantLedger;
  readonly queues: LaneQueues;
  readonly routing: Routing;
  readonly wake: WakeSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after each grant why there were not more. */
  readonly onAnswer?: (laneId: string, stoppedBy: Granted['stoppedBy']) => void;
}

/** Grants made in one transaction: enough to fill a fast lane, few enough to hold its locks for a moment only. */
const GRANTS_AT_ONCE = 64;
/** A lane is asked again after this long even if no event came: the belt to the wake signal's braces. */
const LONGEST_IDLE_MS = 15_000;
/** After a database error. */
const RETRY_MS = 500;

/** Dispatches on these lanes until the signal aborts. Never rejects: errors are logged and tried again. */
export const dispatch = async (
  tools: DispatchTools,
  lanes: readonly Lane[],
  signal: AbortSignal,
): Promise<void> => {
  await Promise.all(lanes.map((lane) => dispatchLane(tools, lane, signal)));
};

const dispatchLane = async (tools: DispatchTools, lane: Lane, signal: AbortSignal): Promise<void> => {
  const latch = wakeLatch(tools.wake, lane, signal);
  while (!signal.aborted) {
    latch.reset();
    try {
      const wakeAtMs = await grantOnce(tools, lane);
      if (wakeAtMs === 'now') continue;
      await latch.sleep(tools.clock, wakeAtMs ?? tools.clock.nowMs() + LONGEST_IDLE_MS);
    } catch (error) {
      tools.log.error({ laneId: lane.id, err: error }, 'dispatch.failed');
      await latch.sleep(tools.clock, tools.clock.nowMs() + RETRY_MS);
    }
  }
};

/** One grant; the instant at which to ask again, `null` for "when something happens". */
const grantOnce = async (
  { ledger, queues, routing, log, onAnswer }: DispatchTools,
  lane: Lane,
): Promise<number | 'now' | null> => {
  const provider = routing.provider(lane.providerId);
  if (provider === undefined) return null;
  const granted = await ledger.grant({
    lane,
    targetTokens: targetTokens(provider, lane),
    atMost: GRANTS_AT_ONCE,
  });
  onAnswer?.(lane.id, granted.stoppedBy);
  if (granted.grantIds.length > 0) {
    await queues.add(lane.id, granted.grantIds);
    log.info({ laneId: lane.id, grants: granted.grantIds.length }, 'grants.made');
  }
  return granted.stoppedBy === '' ? 'now' : granted.wakeAtMs;
};

/** Remembers that the lane was woken while nobody slept. */
const wakeLatch = (wake: WakeSignal, lane: Lane, signal: AbortSignal) => {
  let controller = new AbortController();
  const stop = wake.listen((woken) => {
    if (woken === lane.providerId || woken === '*') controller.abort();
  });
  signal.addEventListener('abort', stop, { once: true });
  return {
    reset: (): void => {
      if (controller.signal.aborted) controller = new AbortController();
    },
    sleep: async (clock: Clock, untilMs: number): Promise<void> =>
      await clock.sleepUntil(untilMs, AbortSignal.any([controller.signal, signal])),
  };
};
