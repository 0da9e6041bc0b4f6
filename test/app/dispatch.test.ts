import { describe, expect, it } from 'vitest';
import { dispatch } from '../../src/app/dispatch.ts';
import type { Granted, GrantOrder } from '../../src/app/ports.ts';
import { targetTokens } from '../../src/core/matching.ts';
import {
  aLane,
  aLedger,
  aProvider,
  FakeClock,
  NOW_MS,
  recordingLog,
  routingFor,
  someQueues,
} from './fakes.ts';

const LANE = aLane('alpha/small', {
  limits: [{ metric: 'requests', amount: 10, window: { kind: 'rolling', perMs: 60_000 } }],
});
const PROVIDER = aProvider([LANE]);
const NO_WORK: Granted = { grantIds: [], stoppedBy: 'no-work', wakeAtMs: null };

/** What the ledger does when it is asked: answers, throws, or something in between. */
type Turn = Granted | Error | (() => Granted);

/** A dispatcher of one lane; after the given turns there is no work. */
const setUp = (turns: readonly Turn[]) => {
  const left = [...turns];
  const orders: GrantOrder[] = [];
  const added: [string, readonly number[]][] = [];
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
    add: async (laneId, grantIds) => void added.push([laneId, grantIds]),
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
  const tools = { ledger, queues, routing: routingFor([PROVIDER]), wake, clock, log };
  const stop = new AbortController();
  const done = (): Promise<void> => dispatch(tools, [LANE], stop.signal);
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

describe('dispatch', () => {
  it('orders the size that suits the lane and puts the grants into its queue', async () => {
    await dispatching([{ grantIds: [3, 4], stoppedBy: 'no-work', wakeAtMs: null }], async (set) => {
      await set.clock.asleepUntil();
      expect(set.orders).toEqual([{ lane: LANE, targetTokens: targetTokens(PROVIDER, LANE), atMost: 64 }]);
      expect(set.added).toEqual([['alpha/small', [3, 4]]]);
      expect(set.log.entries).toMatchObject([{ event: 'grants.made', fields: { grants: 2 } }]);
    });
  });

  it('asks again at once where only the bound of one order stopped it', async () => {
    const full: Granted = { grantIds: [1], stoppedBy: '', wakeAtMs: null };
    await dispatching([full, full], async (set) => {
      await set.clock.asleepUntil();
      expect(set.orders).toHaveLength(3);
      expect(set.added).toHaveLength(2);
    });
  });

  it('adds nothing to the queue where nothing was granted, and asks again in 15 s without any event', async () => {
    await dispatching([], async (set) => {
      expect(await set.clock.asleepUntil()).toBe(NOW_MS + 15_000);
      expect(set.added).toEqual([]);
      set.clock.advanceTo(NOW_MS + 15_000);
      await set.clock.asleepUntil();
      expect(set.orders).toHaveLength(2);
    });
  });

  it('asks again at the instant at which there is room', async () => {
    await dispatching([{ grantIds: [], stoppedBy: 'no-room', wakeAtMs: NOW_MS + 700 }], async (set) => {
      expect(await set.clock.asleepUntil()).toBe(NOW_MS + 700);
      set.clock.advanceTo(NOW_MS + 699);
      expect(set.clock.hasSleeper).toBe(true);
      expect(set.orders).toHaveLength(1);
      set.clock.advanceTo(NOW_MS + 700);
      await set.clock.asleepUntil();
      expect(set.orders).toHaveLength(2);
    });
  });

  it.each(['alpha', '*'])('asks again when %s is woken', async (woken) => {
    await dispatching([], async (set) => {
      await set.clock.asleepUntil();
      set.send(woken);
      await set.clock.asleepUntil();
      expect(set.orders).toHaveLength(2);
    });
  });

  it("sleeps on through another provider's wake", async () => {
    await dispatching([], async (set) => {
      await set.clock.asleepUntil();
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
    await set.clock.asleepUntil();
    expect(set.orders).toHaveLength(2);
    set.stop.abort();
    await done;
  });

  it('sleeps again after each wake, so that one wake is one order', async () => {
    await dispatching([], async (set) => {
      for (const orders of [2, 3, 4]) {
        await set.clock.asleepUntil();
        set.send('*');
        await set.clock.asleepUntil();
        expect(set.orders).toHaveLength(orders);
      }
    });
  });

  it('logs an error of the record and asks again half a second later', async () => {
    await dispatching([new Error('the record is away')], async (set) => {
      expect(await set.clock.asleepUntil()).toBe(NOW_MS + 500);
      expect(set.log.entries).toMatchObject([
        { level: 'error', event: 'dispatch.failed', fields: { laneId: 'alpha/small' } },
      ]);
      set.clock.advanceTo(NOW_MS + 500);
      expect(await set.clock.asleepUntil()).toBe(NOW_MS + 500 + 15_000);
      expect(set.orders).toHaveLength(2);
    });
  });

  it('goes on after the queue did not take the jobs, which housekeeping adds again', async () => {
    const set = setUp([{ grantIds: [1], stoppedBy: '', wakeAtMs: null }]);
    const queues = { ...set.tools.queues, add: () => Promise.reject(new Error('the queue is away')) };
    const done = dispatch({ ...set.tools, queues }, [LANE], set.stop.signal);
    expect(await set.clock.asleepUntil()).toBe(NOW_MS + 500);
    set.stop.abort();
    await done;
  });

  it('stops when it is told to, and no longer listens', async () => {
    const set = setUp([]);
    const done = set.start();
    await set.clock.asleepUntil();
    expect(set.listeners.size).toBe(1);
    set.stop.abort();
    await done;
    expect([set.listeners.size, set.orders.length]).toEqual([0, 1]);
  });

  it('dispatches on each lane by itself: one that fails does not hold up another', async () => {
    const other = aLane('beta/small');
    const set = setUp([]);
    const askedTwice = Promise.withResolvers<void>();
    const asked: string[] = [];
    const grant = async ({ lane }: GrantOrder): Promise<Granted> => {
      asked.push(lane.id);
      if (lane === LANE) throw new Error('the record is away');
      if (asked.filter((id) => id === other.id).length === 2) askedTwice.resolve();
      return NO_WORK;
    };
    const tools = {
      ...set.tools,
      ledger: { ...set.tools.ledger, grant },
      routing: routingFor([PROVIDER, aProvider([other])]),
    };
    const done = dispatch(tools, [LANE, other], set.stop.signal);
    set.send('beta');
    await askedTwice.promise;
    set.stop.abort();
    await done;
    expect(asked.toSorted()).toEqual(['alpha/small', 'beta/small', 'beta/small']);
  });
});
