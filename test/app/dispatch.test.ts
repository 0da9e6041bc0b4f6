import { describe, expect, it } from 'vitest';
import { dispatchLane } from '../../src/app/dispatch.ts';
import type { Granted, GrantOrder, Slice } from '../../src/app/ledger.ts';
import { openPlanBook } from '../../src/app/plan-book.ts';
import { targetTokens } from '../../src/core/matching.ts';
import { aLane, aLedger, aProvider, FakeClock, NOW_MS, recordingLog, someQueues } from './fakes.ts';

const LANE = aLane('alpha/small', {
  limits: [{ metric: 'requests', amount: 10, window: { kind: 'rolling', perMs: 60_000 } }],
});
const PROVIDER = aProvider([LANE]);
const SERVED = { lane: LANE, provider: PROVIDER };
const NO_WORK: Granted = { slices: [], wishPlaces: [], stoppedBy: 'no-work', wakeAtMs: null };

/** What the ledger does when it is asked: answers, throws, or something in between. */
type Turn = Granted | Error | (() => Granted);

/** A dispatcher of one lane; after the given turns there is no work. */
const setUp = (turns: readonly Turn[]) => {
  const left = [...turns];
  const orders: GrantOrder[] = [];
  const added: [string, readonly Slice[]][] = [];
  const listeners = new Set<(providerId: string) => void>();
  const clock = new FakeClock();
  const log = recordingLog();
  const ledger = aLedger({
    grant: async (order) => {
      orders.push(order);
      const turn = left.shift() ?? NO_WORK;
      if (turn instanceof Error) throw turn;
      return typeof turn === 'function' ? turn() : turn;
    },
  });
  const queues = someQueues({
    add: async (laneId, slices) => void added.push([laneId, slices]),
  });
  const wake = {
    listen: (listener: (providerId: string) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const send = (providerId: string): void => {
    for (const listener of listeners) listener(providerId);
  };
  const tools = { ledger, queues, wake, clock, log };
  const stop = new AbortController();
  const done = (): Promise<void> => dispatchLane(tools, SERVED, stop.signal);
  return { tools, turns: left, orders, added, listeners, clock, log, send, stop, start: done };
};

/** Starts it, and stops it whatever comes of the test. */
const dispatching = async (
  turns: readonly Turn[],
  test: (set: ReturnType<typeof setUp>) => Promise<void>,
) => {
  const set = setUp(turns);
  const done = set.start();
  try {
    await test(set);
  } finally {
    set.stop.abort();
    await done;
  }
};

/** How long the dispatcher gathers before it asks again. */
const GATHER_MS = 3;

/** Until when it sleeps once it has nothing to do; what it gathers for on the way is over at once. */
const idleUntil = async ({ clock }: ReturnType<typeof setUp>): Promise<number> => {
  for (;;) {
    const atMs = await clock.asleepUntil();
    if (atMs > clock.nowMs() + GATHER_MS) return atMs;
    clock.advanceTo(atMs);
  }
};

describe('dispatchLane', () => {
  it('orders the size that suits the lane and puts the slices into its queue', async () => {
    await dispatching(
      [{ slices: [[3, 4], [5]], wishPlaces: [], stoppedBy: 'no-work', wakeAtMs: null }],
      async (set) => {
        await idleUntil(set);
        expect(set.orders).toEqual([
          { lane: LANE, targetTokens: targetTokens(PROVIDER, LANE), wishes: null, atMost: 256 },
        ]);
        expect(set.added).toEqual([['alpha/small', [[3, 4], [5]]]]);
        expect(set.log.entries).toMatchObject([{ event: 'grants.made', fields: { slices: 2 } }]);
      },
    );
  });

  it('asks for nothing on a paid lane while there is no plan', async () => {
    const { tools, orders, clock, stop } = setUp([]);
    const paid = { lane: LANE, provider: { ...PROVIDER, tier: 'paid' as const } };
    const plan = openPlanBook(() => clock.nowMs());
    const done = dispatchLane({ ...tools, plan }, paid, stop.signal);
    await clock.asleepUntil();
    clock.advanceTo(NOW_MS + 60_000);
    await clock.asleepUntil();
    stop.abort();
    await done;
    expect(orders).toEqual([]);
  });

  it('asks again 3 ms later where only the bound of one order stopped it', async () => {
    const full: Granted = { slices: [[1]], wishPlaces: [], stoppedBy: '', wakeAtMs: null };
    await dispatching([full, full], async (set) => {
      await idleUntil(set);
      expect(set.orders).toHaveLength(3);
      expect(set.added).toHaveLength(2);
      expect(set.clock.nowMs()).toBe(NOW_MS + 2 * GATHER_MS);
    });
  });

  it('asks again after a while though it waits until tomorrow: another lane may have taken what it waits for', async () => {
    const waiting: Granted = { ...NO_WORK, stoppedBy: 'no-room', wakeAtMs: NOW_MS + 86_400_000 };
    await dispatching([waiting], async (set) => {
      expect(await idleUntil(set)).toBe(NOW_MS + 15_000);
    });
  });

  it('adds nothing to the queue where nothing was granted, and asks again in 15 s without any event', async () => {
    await dispatching([], async (set) => {
      expect(await idleUntil(set)).toBe(NOW_MS + 15_000);
      expect(set.added).toEqual([]);
      set.clock.advanceTo(NOW_MS + 15_000);
      await idleUntil(set);
      expect(set.orders).toHaveLength(2);
    });
  });

  it('asks again at the instant at which there is room', async () => {
    await dispatching(
      [{ slices: [], wishPlaces: [], stoppedBy: 'no-room', wakeAtMs: NOW_MS + 700 }],
      async (set) => {
        expect(await idleUntil(set)).toBe(NOW_MS + 700);
        set.clock.advanceTo(NOW_MS + 699);
        expect(set.clock.hasSleeper).toBe(true);
        expect(set.orders).toHaveLength(1);
        set.clock.advanceTo(NOW_MS + 700);
        await idleUntil(set);
        expect(set.orders).toHaveLength(2);
      },
    );
  });

  it.each(['alpha', '*'])('asks again when %s is woken', async (woken) => {
    await dispatching([], async (set) => {
      await idleUntil(set);
      set.send(woken);
      await idleUntil(set);
      expect(set.orders).toHaveLength(2);
    });
  });

  it("sleeps on through another provider's wake", async () => {
    await dispatching([], async (set) => {
      await idleUntil(set);
      set.send('beta');
      expect(set.clock.hasSleeper).toBe(true);
      expect(set.orders).toHaveLength(1);
    });
  });

  it('does not lose a wake between the grant and the sleep', async () => {
    const set = setUp([]);
    set.turns.push(() => {
      set.send('alpha');
      return NO_WORK;
    });
    const done = set.start();
    await idleUntil(set);
    expect(set.orders).toHaveLength(2);
    set.stop.abort();
    await done;
  });

  it('sleeps again after each wake, so that one wake is one order', async () => {
    await dispatching([], async (set) => {
      for (const orders of [2, 3, 4]) {
        await idleUntil(set);
        set.send('*');
        await idleUntil(set);
        expect(set.orders).toHaveLength(orders);
      }
    });
  });

  it('logs an error of the record and asks again half a second later', async () => {
    await dispatching([new Error('the record is away')], async (set) => {
      expect(await idleUntil(set)).toBe(NOW_MS + 500);
      expect(set.log.entries).toMatchObject([
        { level: 'error', event: 'dispatch.failed', fields: { laneId: 'alpha/small' } },
      ]);
      set.clock.advanceTo(NOW_MS + 500);
      expect(await idleUntil(set)).toBe(NOW_MS + 500 + 15_000);
      expect(set.orders).toHaveLength(2);
    });
  });

  it('goes on after the queue did not take the jobs, which housekeeping adds again', async () => {
    const set = setUp([{ slices: [[1]], wishPlaces: [], stoppedBy: '', wakeAtMs: null }]);
    const queues = { ...set.tools.queues, add: () => Promise.reject(new Error('the queue is away')) };
    const done = dispatchLane({ ...set.tools, queues }, SERVED, set.stop.signal);
    expect(await idleUntil(set)).toBe(NOW_MS + 500);
    set.stop.abort();
    await done;
  });

  it('grants nothing more when it is told to stop while it gathers', async () => {
    const set = setUp([{ slices: [[1]], wishPlaces: [], stoppedBy: '', wakeAtMs: null }]);
    const done = set.start();
    expect(await set.clock.asleepUntil()).toBe(NOW_MS + GATHER_MS);
    set.stop.abort();
    await done;
    expect(set.orders).toHaveLength(1);
  });

  it('stops when it is told to, and no longer listens', async () => {
    const set = setUp([]);
    const done = set.start();
    await idleUntil(set);
    expect(set.listeners.size).toBe(1);
    set.stop.abort();
    await done;
    expect([set.listeners.size, set.orders.length]).toEqual([0, 1]);
  });

  it('tells after each grant why there were not more', async () => {
    const told: [string, string][] = [];
    const set = setUp([{ slices: [], wishPlaces: [], stoppedBy: 'paused', wakeAtMs: null }]);
    const onAnswer = (laneId: string, stoppedBy: Granted['stoppedBy']) => void told.push([laneId, stoppedBy]);
    const done = dispatchLane({ ...set.tools, onAnswer }, SERVED, set.stop.signal);
    await idleUntil(set);
    set.send('*');
    await idleUntil(set);
    set.stop.abort();
    await done;
    expect(told).toEqual([
      ['alpha/small', 'paused'],
      ['alpha/small', 'no-work'],
    ]);
  });
});
