/** One process's share of the night: it takes a seat, dispatches, makes calls and keeps house until it is told to stop. */
import { abandonUseless, type CallsUnderWay, callsUnderWay } from './calls-under-way.ts';
import { coalesce } from './coalesce.ts';
import { dispatchLane } from './dispatch.ts';
import { housekeep, sweepOnce } from './housekeep.ts';
import type { BatchStore } from './batch-store.ts';
import type { HealthBook } from './health-book.ts';
import type { BegunCall, FinishedCall, Granted, GrantLedger, Slice } from './ledger.ts';
import type { Clock, LaneQueues, Log, ProviderClient, Routing, WakeSignal } from './ports.ts';
import { type Announcement, everyLane, type ProcessRegistry, type ServedLane } from './process-registry.ts';
import { keepPlanning, type PlanningTools } from './keep-planning.ts';
import { openPlanBook } from './plan-book.ts';
import { type CallTools, runSlice } from './run-slice.ts';
import { tendLanes } from './tend-lanes.ts';

/** What a night needs. */
export interface NightTools {
  readonly ledger: GrantLedger;
  readonly health: HealthBook;
  readonly store: BatchStore;
  readonly processes: ProcessRegistry;
  readonly queues: LaneQueues;
  readonly provider: ProviderClient;
  readonly routing: Routing;
  readonly wake: WakeSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly planning: PlanningTools;
  /** In [0, 1). */
  readonly random01: () => number;
}

/** What this process does. */
export interface NightShare {
  readonly announcement: Announcement;
  /** The lanes it dispatches on, if it is a dispatcher; asked again whenever there is news. */
  readonly dispatched: () => Promise<readonly ServedLane[]>;
  /** The lanes it makes calls on, if it is a worker: some of those that it announces. */
  readonly worked: () => Promise<readonly ServedLane[]>;
}

/** A night under way. */
export interface Night {
  /** Whether there was nothing this lane may serve when it was last asked. */
  hasNoWork(laneId: string): boolean;
  /** Grants nothing more, waits for the calls under way, and gives the seat up. The same promise when asked again. */
  drain(): Promise<void>;
  /** Aborts the calls under way; they are counted, and their requests run again later. */
  abort(): void;
}

/** What lanes would take in the first second without a plan is missed where it belongs; this long they wait for one, in real ms. */
const LONGEST_WAIT_FOR_PLAN_MS = 3_000;

/** Slices or outcomes that go to the record together. */
const AT_ONCE = 64;

/** Begins this process's share. The dead of the night before are cleaned up first. */
export const startNight = async (
  tools: NightTools,
  { announcement, dispatched, worked }: NightShare,
): Promise<Night> => {
  const { processes, log } = tools;
  const { roles } = announcement;
  const granting = new AbortController();
  const calling = new AbortController();
  const working = new AbortController();
  if (roles.includes('dispatcher')) await sweepOnce(tools);
  const seat = await processes.join(announcement);

  const withoutWork = new Set<string>();
  const onAnswer = (laneId: string, stoppedBy: Granted['stoppedBy']): void =>
    void (stoppedBy === 'no-work' ? withoutWork.add(laneId) : withoutWork.delete(laneId));
  const plan = openPlanBook(() => tools.planning.realTime.nowMs());
  const ready = new AbortController();
  const dispatching = roles.includes('dispatcher')
    ? [
        tendLanes(
          tools,
          dispatched,
          async (lane, signal) => {
            await tools.planning.realTime.sleep(
              LONGEST_WAIT_FOR_PLAN_MS,
              AbortSignal.any([ready.signal, signal]),
            );
            await dispatchLane({ ...tools, plan, onAnswer }, lane, signal);
          },
          granting.signal,
        ),
        keepPlanning(
          { ...tools, ...tools.planning, book: plan, onReady: () => ready.abort() },
          () => allLanes(processes, tools.routing),
          granting.signal,
        ),
        housekeep(tools, granting.signal),
      ]
    : [];
  const underWay = callsUnderWay(tools.ledger);
  const work = workOf(tools, { processId: () => seat.id, underWay, signal: calling.signal });
  const consuming = roles.includes('worker')
    ? [
        tendLanes(
          tools,
          worked,
          (lane, signal) => consumeUntil(tools.queues, lane, work, signal),
          working.signal,
        ),
      ]
    : [];
  log.info(
    { processId: seat.id, roles, lanes: announcement.lanes.map(({ lane }) => lane.id) },
    'night.started',
  );

  const drain = async (): Promise<void> => {
    granting.abort();
    await Promise.all(dispatching);
    working.abort();
    const consumed = Promise.all(consuming);
    await abandonUseless(tools, underWay, consumed);
    await consumed;
    await seat.leave();
    log.info({ processId: seat.id }, 'night.drained');
  };
  let draining: Promise<void> | null = null;
  return {
    hasNoWork: (laneId) => withoutWork.has(laneId),
    drain: () => (draining ??= drain()),
    abort: () => calling.abort(),
  };
};

/**
 * The lanes of every process, and those of ours on which nobody makes calls now: what one process alone may do says little of
 * when a batch is done, or of what has to be paid for.
 */
const allLanes = async (processes: ProcessRegistry, routing: Routing): Promise<readonly ServedLane[]> => {
  const served = await processes.servedLanes();
  const known = new Set(served.map(({ lane }) => lane.id));
  return [...served, ...everyLane(routing).filter(({ lane }) => !known.has(lane.id))];
};

/** Takes jobs of the lane until the signal aborts, then waits for those under way. */
const consumeUntil = async (
  queues: LaneQueues,
  lane: ServedLane,
  work: (slice: Slice) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const consumer = await queues.consume(lane, work);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await consumer.stop();
};

/** What is done with each job. A job may be delivered twice to one process; the record's fence tells only processes apart. */
const workOf = (
  tools: NightTools,
  { processId, underWay, signal }: WorkOptions,
): ((slice: Slice) => Promise<void>) => {
  const { ledger } = tools;
  const callTools: CallTools = {
    ...tools,
    begin: coalesce((slices: readonly Slice[]) => beginEach(ledger, slices, processId()), AT_ONCE),
    pastOf: (grantId) => ledger.pastOf(grantId),
    finish: coalesce((calls: readonly FinishedCall[]) => finishEach(ledger, calls), AT_ONCE),
    signal,
  };
  return async (slice) => {
    const mine = slice.filter((grantId) => !underWay.has(grantId));
    const abandoned = underWay.enter(mine);
    try {
      const tied = { ...callTools, signal: AbortSignal.any([signal, abandoned]) };
      if (mine.length > 0) await runSlice(tied, mine);
    } finally {
      underWay.leave(mine);
    }
  };
};

interface WorkOptions {
  readonly processId: () => number;
  readonly underWay: CallsUnderWay;
  readonly signal: AbortSignal;
}

/** Begun calls by slice. */
const beginEach = async (
  ledger: GrantLedger,
  slices: readonly Slice[],
  processId: number,
): Promise<(slice: Slice) => readonly BegunCall[]> => {
  const begun = new Map((await ledger.begin(slices.flat(), processId)).map((call) => [call.grantId, call]));
  return (slice) => slice.map((id) => begun.get(id)).filter((call) => call !== undefined);
};

/** Together, or one by one if the record refuses them together: one bad entry must not take the others with it. */
const finishEach = async (
  ledger: GrantLedger,
  calls: readonly FinishedCall[],
): Promise<(call: FinishedCall) => void> => {
  const refused = new Map<FinishedCall, Error>();
  try {
    await ledger.finish(calls);
  } catch (error) {
    if (calls.length === 1) throw error;
    for (const call of calls) await ledger.finish([call]).catch((reason: Error) => refused.set(call, reason));
  }
  return (call) => {
    const reason = refused.get(call);
    if (reason !== undefined) throw reason;
  };
};
