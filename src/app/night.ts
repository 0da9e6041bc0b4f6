/** One process's share of the night: it takes a seat, dispatches, makes calls and keeps house until it is told to stop. */
import { coalesce } from './coalesce.ts';
import { dispatch, type DispatchTools } from './dispatch.ts';
import { housekeep, sweepOnce } from './housekeep.ts';
import type {
  BegunCall,
  Clock,
  FinishedCall,
  GrantLedger,
  HealthBook,
  LaneQueues,
  Log,
  ProviderClient,
  Routing,
  WakeSignal,
  WorkerRegistry,
} from './ports.ts';
import type { Lane } from '../core/model.ts';
import { runGrant } from './run-grant.ts';

/** What a night needs. */
export interface NightTools {
  readonly ledger: GrantLedger;
  readonly health: HealthBook;
  readonly workers: WorkerRegistry;
  readonly queues: LaneQueues;
  readonly provider: ProviderClient;
  readonly routing: Routing;
  readonly wake: WakeSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random01: () => number;
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

/** Begins or finishes that go to the record together. */
const AT_ONCE = 64;

/** Starts granting and calling on these lanes. The dead of the night before are cleaned up first. */
export const startNight = async (tools: NightTools, lanes: readonly Lane[]): Promise<Night> => {
  const { ledger, queues, workers, log } = tools;
  const granting = new AbortController();
  const calling = new AbortController();
  await sweepOnce(tools);
  const seat = await workers.join(lanes.map((lane) => ({ laneId: lane.id, slots: lane.concurrency })));

  const callTools = {
    ...tools,
    begin: coalesce((ids: readonly number[]) => beginEach(ledger, ids, seat.id), AT_ONCE),
    finish: coalesce((calls: readonly FinishedCall[]) => finishEach(ledger, calls), AT_ONCE),
    signal: calling.signal,
  };
  const running = new Set<number>();
  const work = async (grantIds: readonly number[]): Promise<void> => {
    for (const grantId of grantIds) await runOnce(running, grantId, () => runGrant(callTools, grantId));
  };
  await Promise.all(lanes.map((lane) => queues.consume(lane, work)));
  const withoutWork = new Set<string>();
  const onAnswer: DispatchTools['onAnswer'] = (laneId, stoppedBy) =>
    void (stoppedBy === 'no-work' ? withoutWork.add(laneId) : withoutWork.delete(laneId));
  const loops = [dispatch({ ...tools, onAnswer }, lanes, granting.signal), housekeep(tools, granting.signal)];
  log.info({ workerId: seat.id, lanes: lanes.map((lane) => lane.id) }, 'night.started');

  const drain = async (): Promise<void> => {
    granting.abort();
    await Promise.all(loops);
    await queues.stopConsuming();
    await seat.leave();
    log.info({ workerId: seat.id }, 'night.drained');
  };
  let draining: Promise<void> | null = null;
  return {
    hasNoWork: (laneId) => withoutWork.has(laneId),
    drain: () => (draining ??= drain()),
    abort: () => calling.abort(),
  };
};

/** A job may be delivered twice to one process; the record's fence tells only processes apart. */
const runOnce = async (running: Set<number>, grantId: number, run: () => Promise<void>): Promise<void> => {
  if (running.has(grantId)) return;
  running.add(grantId);
  try {
    await run();
  } finally {
    running.delete(grantId);
  }
};

/** Begun calls by grant; `null` for those that may not begin any more. */
const beginEach = async (
  ledger: GrantLedger,
  ids: readonly number[],
  workerId: number,
): Promise<(id: number) => BegunCall | null> => {
  const begun = new Map((await ledger.begin(ids, workerId)).map((call) => [call.grantId, call]));
  return (id) => begun.get(id) ?? null;
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
