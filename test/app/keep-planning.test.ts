import { describe, expect, it } from 'vitest';
import { keepPlanning } from '../../src/app/keep-planning.ts';
import { openPlanBook } from '../../src/app/plan-book.ts';
import type { PaymentTerm, RealTime } from '../../src/app/planning.ts';
import type { Forecasts } from '../../src/core/plan/forecast.ts';
import type { Payment } from '../../src/core/plan/payments.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Situation } from '../../src/core/plan/situation.ts';
import { aCell, aSituation } from '../core/plan/a-situation.ts';
import { FakeClock, NOW_MS, recordingLog } from './fakes.ts';

const planOf = ({ nowMs, cells }: Situation): Plan => ({
  madeAtMs: nowMs,
  finishAtMs: nowMs + 1_000 * cells.length,
  lanes: [{ laneId: 'alpha/small', shares: [], binding: null, most: Infinity }],
  unplannable: [],
  undone: [],
  routeIds: [],
  payments: [{ batchId: 1, requests: 7, isCovered: true }],
  cutsAtMs: [],
});

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

interface NightState {
  situation: Situation | Error;
  reads: number;
  readonly planned: Situation[];
  fails: Error | null;
  /** No plan is ever made. */
  hangs: boolean;
}

/** Planning under way, on a clock that only the test moves. Reading and solving take as long as `costs` says. */
const setUp = async (first: Situation | Error = aSituation(), { hangs = false } = {}) => {
  const clock = new FakeClock();
  const realTime: RealTime = {
    nowMs: () => clock.nowMs(),
    sleep: (ms, signal) => clock.sleepUntil(clock.nowMs() + ms, signal),
  };
  const log = recordingLog();
  const stop = new AbortController();
  const listeners = new Set<(woken: string) => void>();
  const costs = { readMs: 0, planMs: 0 };
  const state: NightState = { situation: first, reads: 0, planned: [], fails: null, hangs };
  const stored: Forecasts[] = [];
  const allowed: (Payment & PaymentTerm)[] = [];
  const plannedAtMs: number[] = [];
  const book = openPlanBook(() => clock.nowMs());
  let isReady = false;
  const done = keepPlanning(
    {
      reader: {
        read: async () => {
          state.reads += 1;
          clock.advanceTo(clock.nowMs() + costs.readMs);
          if (state.situation instanceof Error) throw state.situation;
          return state.situation;
        },
      },
      planner: {
        plan: async (situation) => {
          state.planned.push(situation);
          plannedAtMs.push(clock.nowMs());
          clock.advanceTo(clock.nowMs() + costs.planMs);
          if (state.fails !== null) throw state.fails;
          if (state.hangs) await new Promise<never>(() => {});
          return planOf(situation);
        },
      },
      payments: { allow: async (payment, term) => void allowed.push({ ...payment, ...term }) },
      forecasts: { store: async (forecasts) => void stored.push(forecasts), of: async () => null },
      realTime,
      book,
      wake: {
        listen: (listener) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
      log,
      onReady: () => {
        isReady = true;
      },
    },
    async () => [],
    stop.signal,
  );
  await settled();
  return {
    clock,
    log,
    costs,
    state,
    stored,
    allowed,
    book,
    isReady: () => isReady,
    listeners,
    send: (woken: string): void => {
      for (const listener of listeners) listener(woken);
    },
    /** When plans were made, in ms since the test began, until so long after that. */
    async plannedAt(afterMs: number): Promise<readonly number[]> {
      await this.moveTo(afterMs);
      return plannedAtMs.map((atMs) => atMs - NOW_MS);
    },
    /** Moves on to so long after the test began. */
    async moveTo(afterMs: number): Promise<void> {
      // Sleeps end one by one, as they would.
      while (clock.nowMs() < NOW_MS + afterMs) {
        const atMs = clock.hasSleeper ? await clock.asleepUntil() : Infinity;
        clock.advanceTo(Math.min(atMs, NOW_MS + afterMs));
        await settled();
      }
    },
    async finish(): Promise<void> {
      stop.abort();
      await done;
    },
  };
};

describe('keepPlanning', () => {
  it('says when nobody need wait for a plan: there is one, or none for now, or calls at once for all', async () => {
    const planned = await setUp();
    expect(planned.isReady()).toBe(true);
    const idle = await setUp(aSituation({ cells: [] }));
    expect(idle.isReady()).toBe(true);
    const failed = await setUp(new Error('away'));
    expect(failed.isReady()).toBe(true);
    for (const night of [planned, idle, failed]) await night.finish();

    const hanging = { hangs: true };
    const few = await setUp(aSituation({ cells: [aCell(28, 4)] }), hanging);
    const many = await setUp(aSituation({ cells: [aCell(28, 5)] }), hanging);
    expect([few.isReady(), many.isReady()]).toEqual([true, false]);
    for (const night of [few, many]) await night.finish();
  });

  it('plans at once, half a second later by what has begun meanwhile, and then every 2 s', async () => {
    const night = await setUp();
    expect(night.book.wishesFor('alpha/small')?.ranges).toEqual([]);
    expect(await night.plannedAt(5_000)).toEqual([0, 500, 2_500, 4_500]);
    await night.finish();
  });

  it('plans soon for what comes after the first batch, though planning is dear', async () => {
    const night = await setUp(aSituation({ cells: [] }));
    night.costs.planMs = 300;
    night.state.situation = aSituation();
    await night.moveTo(1_000);
    night.send('*');
    await settled();
    expect(await night.plannedAt(2_000)).toEqual([1_000, 1_800]);
    night.send('*');
    await settled();
    expect(await night.plannedAt(3_000)).toEqual([1_000, 1_800, 2_600]);
    night.send('*');
    await settled();
    // From then on solving takes a tenth of a processor at most.
    expect(await night.plannedAt(5_500)).toEqual([1_000, 1_800, 2_600]);
    await night.finish();
  });

  it('plans twice a second while the first answer of a lane is awaited', async () => {
    const [lane] = aSituation().lanes;
    if (lane === undefined) throw new Error('Expected a lane.');
    const night = await setUp(aSituation({ lanes: [{ ...lane, guess: 'awaited' }] }));
    expect(await night.plannedAt(1_500)).toEqual([0, 500, 1_000, 1_500]);
    night.state.situation = aSituation({ lanes: [{ ...lane, guess: 'untold' }] });
    expect(await night.plannedAt(4_100)).toEqual([0, 500, 1_000, 1_500, 2_000, 4_000]);
    await night.finish();
  });

  it('plans sooner when there is news of any lane, but twice a second at most, however much there is', async () => {
    const night = await setUp();
    for (let times = 0; times < 20; times += 1) night.send('*');
    await settled();
    expect(night.state.planned).toHaveLength(1);
    await night.moveTo(500);
    expect(night.state.planned).toHaveLength(2);
    night.send('alpha');
    await night.moveTo(2_499);
    expect(night.state.planned).toHaveLength(2);
    await night.moveTo(2_500);
    expect(night.state.planned).toHaveLength(3);
    await night.finish();
  });

  it.for([
    { what: 'reading', costs: { readMs: 400, planMs: 0 }, pauseMs: 8_000 },
    { what: 'solving', costs: { readMs: 0, planMs: 1_000 }, pauseMs: 9_000 },
  ])('plans later where $what is dear, news or not', async ({ costs, pauseMs }) => {
    const night = await setUp();
    Object.assign(night.costs, costs);
    await night.moveTo(500);
    // One that was dear may have met a busy machine; the first one starts the solver.
    expect(night.state.planned).toHaveLength(2);
    const onceMs = night.clock.nowMs() - NOW_MS;
    await night.moveTo(onceMs + 2_000);
    expect(night.state.planned).toHaveLength(3);
    const endedMs = night.clock.nowMs() - NOW_MS;
    night.send('*');
    await night.moveTo(endedMs + pauseMs - 1);
    expect(night.state.reads).toBe(3);
    await night.moveTo(endedMs + pauseMs);
    expect(night.state.reads).toBe(4);
    await night.finish();
  });

  it('keeps a dear plan in force until well after the next one should be there', async () => {
    const night = await setUp();
    night.costs.readMs = 3_000;
    await night.moveTo(2_000);
    const endedMs = night.clock.nowMs() - NOW_MS;
    night.state.situation = new Error('the record is away');
    await night.moveTo(endedMs + 120_000);
    expect(night.book.wishesFor('alpha/small')?.ranges).toEqual([]);
    await night.moveTo(endedMs + 200_000);
    expect(night.book.wishesFor('alpha/small')).toBeNull();
    await night.finish();
  });

  it('makes no plan where nothing waits, and looks again when something happens', async () => {
    const night = await setUp(aSituation({ cells: [] }));
    await night.moveTo(14_999);
    expect([night.state.reads, night.state.planned.length]).toEqual([1, 0]);
    night.send('alpha');
    await settled();
    expect([night.state.reads, night.state.planned.length]).toEqual([2, 0]);
    night.state.situation = aSituation();
    night.send('*');
    await night.moveTo(15_900);
    expect([night.state.reads, night.state.planned.length]).toEqual([3, 1]);
    await night.finish();
  });

  it('finds out within 15 s what nobody tells, as that the hours of a batch have begun', async () => {
    const night = await setUp(aSituation({ cells: [] }));
    await night.moveTo(60_000);
    expect(night.state.planned).toEqual([]);
    night.state.situation = aSituation();
    await night.moveTo(75_000);
    expect(night.state.planned).toHaveLength(1);
    await night.finish();
  });

  it('says how old what may be paid for is, and lets it hold as long as the plan', async () => {
    const night = await setUp();
    night.costs.readMs = 300;
    night.costs.planMs = 200;
    await night.moveTo(2_000);
    expect(night.allowed).toEqual([
      { batchId: 1, requests: 7, isCovered: true, ageMs: expect.closeTo(250), forMs: 60_000 },
      { batchId: 1, requests: 7, isCovered: true, ageMs: expect.closeTo(750), forMs: 60_000 },
    ]);
    await night.finish();
  });

  it('counts what was paid for since what waits in its batch was counted, however long ago that was', async () => {
    const route = { priority: 0, laneIds: ['alpha/small'] };
    const night = await setUp({
      ...aSituation(),
      routes: [
        { ...route, id: 1, batchId: 1, countedBeforeMs: 4_000 },
        { ...route, id: 2, batchId: 1, countedBeforeMs: 1_000 },
        { ...route, id: 3, batchId: 2, countedBeforeMs: 60_000 },
      ],
    });
    await night.moveTo(2_000);
    expect(night.allowed.map(({ ageMs }) => ageMs)).toEqual([expect.closeTo(4_250), expect.closeTo(4_250)]);
    await night.finish();
  });

  it('lets nothing more be paid for where nothing waits: what comes back may cost nothing yet', async () => {
    const route = { batchId: 1, priority: 0, laneIds: ['alpha/small'] };
    const routes = [
      { ...route, id: 1, pays: { deadlineAtMs: null, leftNanoDollars: 1 } },
      { ...route, id: 2, pays: { deadlineAtMs: null, leftNanoDollars: 1 } },
      { ...route, id: 3, batchId: 2 },
    ];
    const night = await setUp(aSituation({ cells: [], routes }));
    expect(night.allowed).toMatchObject([{ batchId: 1, requests: 0 }]);
    await night.finish();
  });

  it('says when each batch will be done, by plans of what goes before it', async () => {
    const route = { batchId: 1, priority: 0, laneIds: ['alpha/small'] };
    const situation = aSituation({
      routes: [
        { ...route, id: 1 },
        { ...route, id: 2, batchId: 2 },
      ],
      cells: [aCell(28, 1_000), aCell(29, 1_000), aCell(28, 10, { routeId: 2 })],
    });
    const night = await setUp(situation);
    expect(night.state.planned).toHaveLength(2);
    expect(night.state.planned[0]).toBe(situation);
    expect(night.state.planned[1]?.cells).toHaveLength(3);
    expect(night.state.planned[1]?.cells.at(-1)).toEqual(aCell(28, 10, { routeId: 2 }));
    expect([...(night.stored[0]?.keys() ?? [])]).toEqual([1, 2]);
    await night.finish();
  });

  it('says that batches of which nothing waits are about done', async () => {
    const night = await setUp(aSituation({ cells: [] }));
    expect(night.stored[0]?.get(1)).toMatchObject({ finishAtMs: aSituation().nowMs + 1_000, next: null });
    await night.finish();
  });

  it('logs each error once, keeps the plan in force, and plans again', async () => {
    const night = await setUp();
    night.state.fails = new Error('no solution');
    await night.moveTo(4_000);
    const failures = night.log.entries.filter(({ event }) => event === 'plan.failed');
    expect(failures).toMatchObject([
      { level: 'error', fields: { err: { message: 'no solution' } } },
      { level: 'error' },
    ]);
    expect(night.book.wishesFor('alpha/small')?.ranges).toEqual([]);
    night.state.fails = null;
    await night.moveTo(70_000);
    expect(night.book.wishesFor('alpha/small')?.ranges).toEqual([]);
    await night.finish();
  });

  it('ends at once in the middle of a plan, and no longer listens', async () => {
    const night = await setUp();
    night.state.hangs = true;
    await night.moveTo(5_000);
    expect(night.state.planned).toHaveLength(2);
    await night.finish();
    expect(night.listeners.size).toBe(0);
    expect(night.log.entries.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
