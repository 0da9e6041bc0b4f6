import { describe, expect, it } from 'vitest';
import { startNight } from '../../src/app/night.ts';
import type { BegunCall, FinishedCall, Slice } from '../../src/app/ledger.ts';
import type { ProviderClient, ProviderReply } from '../../src/app/ports.ts';
import type { Role, ServedLane } from '../../src/app/process-registry.ts';
import { ANSWER } from './a-slice-to-run.ts';
import {
  aCall,
  aLane,
  aLedger,
  aProvider,
  aStore,
  FakeClock,
  recordingLog,
  routingFor,
  someQueues,
} from './fakes.ts';

const LANE = aLane('alpha/small');
const PROVIDER = aProvider([LANE]);
/** Of another process. */
const OTHER = aLane('other/small');
const SERVED: ServedLane = { lane: LANE, provider: PROVIDER };

const notAsked = async (): Promise<never> => {
  throw new Error('Expected this not to be asked, but it was.');
};

/** Lets everything that can go on without an event go on. */
const settled = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
};

/** A night of these roles on one lane; steps in their order, and how to deliver a job. */
const setUp = async (roles: readonly Role[], chat: ProviderClient['chat'] = async () => ANSWER) => {
  const steps: string[] = [];
  const planned: (readonly string[])[] = [];
  const finished: FinishedCall[] = [];
  const begun: (readonly number[])[] = [];
  const workers: ((slice: Slice) => Promise<void>)[] = [];
  const clock = new FakeClock();
  const tools = {
    ledger: aLedger({
      sweep: async () => {
        steps.push('sweep');
        return { missingJobs: [], nextDueAtMs: null };
      },
      grant: async () => {
        steps.push('grant');
        return { slices: [], wishPlaces: [], stoppedBy: 'no-work', wakeAtMs: null };
      },
      begin: async (grantIds): Promise<readonly BegunCall[]> => {
        begun.push(grantIds);
        return grantIds.map((grantId) => aCall({ grantId, begunAtMs: clock.nowMs() }));
      },
      finish: async (calls) => void finished.push(...calls),
      forgetUnusedQueues: async () => [],
    }),
    health: {
      pause: notAsked,
      resume: notAsked,
      close: notAsked,
      sick: notAsked,
      gone: notAsked,
      closings: async () => [],
    },
    store: aStore({ endingIds: async () => [] }),
    processes: {
      join: async () => {
        steps.push('join');
        return { id: 3, leave: async () => void steps.push('leave') };
      },
      processes: async () => [],
      servedLanes: async () => [{ lane: OTHER, provider: aProvider([OTHER]) }],
      wantedLaneIds: async () => new Set<string>(),
    },
    queues: someQueues({
      consume: async (_served, work) => {
        steps.push('consume');
        workers.push(work);
        return { stop: async () => void steps.push('stop') };
      },
    }),
    provider: { chat },
    routing: routingFor([PROVIDER]),
    wake: { listen: () => () => {} },
    planning: {
      reader: {
        read: async (served: readonly ServedLane[]) => {
          steps.push('plan');
          planned.push(served.map(({ lane }) => lane.id));
          return { nowMs: 0, cells: [], routes: [], answers: [], lanes: [], providers: [], limits: [] };
        },
      },
      planner: { plan: notAsked },
      payments: { allow: async () => {} },
      forecasts: { store: async () => {}, of: notAsked },
      realTime: {
        nowMs: () => 0,
        sleep: (_ms: number, signal: AbortSignal) => clock.sleepUntil(Infinity, signal),
      },
    },
    clock,
    log: recordingLog(),
    random01: () => 0.5,
  };
  const night = await startNight(tools, {
    announcement: { roles, lanes: [], configHash: '', limits: [] },
    dispatched: async () => [SERVED],
    worked: async () => [SERVED],
  });
  await settled();
  const deliver = async (slice: Slice): Promise<void> => {
    await Promise.all(workers.map((work) => work(slice)));
  };
  return { night, steps, planned, finished, begun, deliver };
};

describe('a night', () => {
  it('of a worker takes jobs, and neither sweeps nor grants', async () => {
    const { night, steps, finished, deliver } = await setUp(['worker']);
    await deliver([7, 8]);
    await night.drain();
    expect(steps).toEqual(['join', 'consume', 'stop', 'leave']);
    expect(finished.map(({ grantId }) => grantId)).toEqual([7, 8]);
  });

  it('of a dispatcher cleans up before it takes its seat, plans, grants, and takes no jobs', async () => {
    const { night, steps } = await setUp(['dispatcher']);
    await night.drain();
    expect(steps.slice(0, 2)).toEqual(['sweep', 'join']);
    expect(steps).toEqual(expect.arrayContaining(['plan', 'grant']));
    expect(steps).not.toContain('consume');
    expect(steps.at(-1)).toBe('leave');
  });

  it('is planned on the lanes of all who make calls, and on its own of which nobody does', async () => {
    const { night, planned } = await setUp(['dispatcher']);
    await night.drain();
    expect(planned).toEqual([[OTHER.id, LANE.id]]);
  });

  it('of an api has a seat and nothing else to do', async () => {
    const { night, steps } = await setUp(['api']);
    await night.drain();
    expect(steps).toEqual(['join', 'leave']);
  });

  it('knows on which lanes there is no work', async () => {
    const { night } = await setUp(['dispatcher', 'worker']);
    expect([night.hasNoWork(LANE.id), night.hasNoWork('beta/small')]).toEqual([true, false]);
    await night.drain();
  });

  it('drains once, however often it is asked', async () => {
    const { night, steps } = await setUp(['worker']);
    expect(night.drain()).toBe(night.drain());
    await night.drain();
    expect(steps.filter((step) => step === 'leave')).toHaveLength(1);
  });

  it('runs a grant once that two jobs carry at the same time', async () => {
    const answered = Promise.withResolvers<ProviderReply>();
    const { night, begun, finished, deliver } = await setUp(['worker'], () => answered.promise);
    const first = deliver([7, 8]);
    const second = deliver([7, 8]);
    await second;
    answered.resolve(ANSWER);
    await first;
    await night.drain();
    expect(begun).toEqual([[7, 8]]);
    expect(finished.map(({ grantId }) => grantId)).toEqual([7, 8]);
  });

  it('begins and stores what comes together in one go, and gives each slice its own', async () => {
    const { night, begun, finished, deliver } = await setUp(['worker']);
    await Promise.all([deliver([1, 2]), deliver([3]), deliver([4, 5])]);
    await night.drain();
    expect(begun.flat()).toEqual([1, 2, 3, 4, 5]);
    expect(begun.length).toBeLessThan(3);
    expect(finished.map(({ grantId }) => grantId).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
  });

  it('aborts the calls under way when it is told to', async () => {
    const signals: AbortSignal[] = [];
    const { night, deliver } = await setUp(['worker'], async (_lane, _body, { signal }) => {
      signals.push(signal);
      return ANSWER;
    });
    await deliver([7]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    night.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await night.drain();
  });
});
