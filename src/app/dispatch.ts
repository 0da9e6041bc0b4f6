/** The dispatcher: grants calls on a lane as soon as it has room and work, and puts them into its queue. */
import { targetTokens } from '../core/matching.ts';
import type { Granted, GrantLedger } from './ledger.ts';
import type { PlanBook } from './plan-book.ts';
import type { Clock, LaneQueues, Log, WakeSignal } from './ports.ts';
import type { ServedLane } from './process-registry.ts';

/** What dispatching needs. */
export interface DispatchTools {
  readonly ledger: GrantLedger;
  readonly queues: LaneQueues;
  readonly wake: WakeSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** What the lane had better take, while there is a plan. */
  readonly plan?: PlanBook;
  /** Told after each grant why there were not more. */
  readonly onAnswer?: (laneId: string, stoppedBy: Granted['stoppedBy']) => void;
}

/** Grants made in one transaction: enough to fill a fast lane, few enough to hold its locks for a moment only. */
const GRANTS_AT_ONCE = 256;
/**
 * A lane is asked again after this long even if no event came: the belt to the wake signal's braces. Another lane may have
 * taken what it waits for until tomorrow.
 */
const LONGEST_IDLE_MS = 15_000;
/** Not asked more often than this: on a fast lane every answer would bring one more grant, each in its own round trip. */
const GATHER_MS = 3;
/** After a database error. */
const RETRY_MS = 500;

/** Dispatches on one lane until the signal aborts. Never rejects: errors are logged and tried again. */
export const dispatchLane = async (
  tools: DispatchTools,
  served: ServedLane,
  signal: AbortSignal,
): Promise<void> => {
  const { clock, log } = tools;
  const latch = wakeLatch(tools, served, signal);
  let askedAtMs = -Infinity;
  while (!signal.aborted) {
    await clock.sleepUntil(askedAtMs + GATHER_MS, signal);
    if (signal.aborted) return;
    askedAtMs = clock.nowMs();
    latch.reset();
    try {
      const wakeAtMs = await grantOnce(tools, served);
      if (wakeAtMs === 'now') continue;
      await latch.sleep(clock, Math.min(wakeAtMs ?? Infinity, clock.nowMs() + LONGEST_IDLE_MS));
    } catch (error) {
      log.error({ laneId: served.lane.id, err: error }, 'dispatch.failed');
      await latch.sleep(clock, clock.nowMs() + RETRY_MS);
    }
  }
};

/** One grant; the instant at which to ask again, `null` for "when something happens". */
const grantOnce = async (
  { ledger, queues, plan, log, onAnswer }: DispatchTools,
  { lane, provider }: ServedLane,
): Promise<number | 'now' | null> => {
  const wishes = plan?.wishesFor(lane.id) ?? null;
  // What suits a paid lane by itself is no reason to pay: it waits for a plan.
  if (plan !== undefined && wishes === null && provider.tier === 'paid') return null;
  const granted = await ledger.grant({
    lane,
    targetTokens: targetTokens(provider, lane),
    wishes,
    atMost: GRANTS_AT_ONCE,
  });
  onAnswer?.(lane.id, granted.stoppedBy);
  plan?.answered(lane.id, granted.stoppedBy === 'no-work' && granted.slices.length === 0);
  for (const place of granted.wishPlaces) {
    const wish = place === null ? undefined : wishes?.ranges[place];
    if (wish !== undefined) plan?.took(lane.id, wish.sizeClass);
  }
  if (granted.slices.length > 0) {
    await queues.add(lane.id, granted.slices);
    log.info({ laneId: lane.id, slices: granted.slices.length }, 'grants.made');
  }
  return granted.stoppedBy === '' ? 'now' : granted.wakeAtMs;
};

/** Remembers that the lane was woken while nobody slept. */
const wakeLatch = ({ wake, plan }: DispatchTools, { lane }: ServedLane, signal: AbortSignal) => {
  let controller = new AbortController();
  const stop = wake.listen((woken) => {
    if (woken === lane.providerId || woken === '*') controller.abort();
  });
  const stopReading = plan?.listen(() => controller.abort());
  signal.addEventListener('abort', stop, { once: true });
  if (stopReading !== undefined) signal.addEventListener('abort', stopReading, { once: true });
  return {
    reset: (): void => {
      if (controller.signal.aborted) controller = new AbortController();
    },
    sleep: async (clock: Clock, untilMs: number): Promise<void> =>
      await clock.sleepUntil(untilMs, AbortSignal.any([controller.signal, signal])),
  };
};
