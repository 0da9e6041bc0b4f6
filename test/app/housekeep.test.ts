import { describe, expect, it } from 'vitest';
import { housekeep, sweepOnce } from '../../src/app/housekeep.ts';
import type { BatchStore } from '../../src/app/batch-store.ts';
import type { Slice, Swept } from '../../src/app/ledger.ts';
import { aLedger, aStore, FakeClock, NOW_MS, recordingLog, someQueues } from './fakes.ts';

const NOTHING: Swept = { missingJobs: [], nextDueAtMs: null };

/** A ledger whose sweeps come out as given, then as nothing. */
const setUp = (sweeps: readonly (Swept | Error)[], batches: Partial<BatchStore> = {}) => {
  const left = [...sweeps];
  const counts = { sweeps: 0, tidyings: 0 };
  const addedAgain: [string, readonly Slice[]][] = [];
  const removed: string[] = [];
  const unused: string[] = [];
  const ledger = aLedger({
    sweep: async () => {
      counts.sweeps += 1;
      const next = left.shift() ?? NOTHING;
      if (next instanceof Error) throw next;
      return next;
    },
    forgetUnusedQueues: async () => {
      counts.tidyings += 1;
      return unused.splice(0);
    },
  });
  const queues = someQueues({
    addAgain: async (laneId, slices) => void addedAgain.push([laneId, slices]),
    remove: async (laneId) => void removed.push(laneId),
  });
  const clock = new FakeClock();
  const log = recordingLog();
  const store = aStore({ endingIds: async () => [], ...batches });
  return { tools: { ledger, queues, store, clock, log }, counts, addedAgain, removed, unused, clock, log };
};

describe('sweepOnce', () => {
  it('adds the missing jobs of each lane again and tells when the next request falls due', async () => {
    const missingJobs = [
      { laneId: 'alpha/small', slice: [1, 2] },
      { laneId: 'beta/small', slice: [3] },
      { laneId: 'alpha/small', slice: [4] },
    ];
    const { tools, addedAgain, log } = setUp([{ missingJobs, nextDueAtMs: NOW_MS + 300 }]);
    await expect(sweepOnce(tools)).resolves.toBe(NOW_MS + 300);
    expect(addedAgain).toEqual([
      ['alpha/small', [[1, 2], [4]]],
      ['beta/small', [[3]]],
    ]);
    expect(log.entries.map(({ event }) => event)).toEqual(['jobs.added-again', 'jobs.added-again']);
  });
});

describe('housekeep', () => {
  it('sweeps once a second, and sooner when a parked request falls due', async () => {
    const { tools, counts, clock } = setUp([NOTHING, { missingJobs: [], nextDueAtMs: NOW_MS + 1_300 }]);
    const stop = new AbortController();
    const done = housekeep(tools, stop.signal);
    expect(await clock.asleepUntil()).toBe(NOW_MS + 1_000);
    clock.advanceTo(NOW_MS + 1_000);
    expect(await clock.asleepUntil()).toBe(NOW_MS + 1_300);
    clock.advanceTo(NOW_MS + 1_300);
    expect(await clock.asleepUntil()).toBe(NOW_MS + 2_300);
    expect(counts.sweeps).toBe(3);
    stop.abort();
    await done;
  });

  it('does not wait longer than a second for a request that falls due later, nor spin for one that is due', async () => {
    const { tools, clock } = setUp([
      { missingJobs: [], nextDueAtMs: NOW_MS + 60_000 },
      { missingJobs: [], nextDueAtMs: NOW_MS - 60_000 },
    ]);
    const stop = new AbortController();
    const done = housekeep(tools, stop.signal);
    expect(await clock.asleepUntil()).toBe(NOW_MS + 1_000);
    clock.advanceTo(NOW_MS + 1_000);
    expect(await clock.asleepUntil()).toBe(NOW_MS + 1_001);
    stop.abort();
    await done;
  });

  it('logs a sweep that failed and sweeps again a second later', async () => {
    const { tools, counts, clock, log } = setUp([new Error('the record is away')]);
    const stop = new AbortController();
    const done = housekeep(tools, stop.signal);
    expect(await clock.asleepUntil()).toBe(NOW_MS + 1_000);
    expect(log.entries).toMatchObject([{ level: 'error', event: 'sweep.failed' }]);
    clock.advanceTo(NOW_MS + 1_000);
    await clock.asleepUntil();
    expect(counts.sweeps).toBe(2);
    stop.abort();
    await done;
  });

  it('stops without a sweep when it is told to before it begins', async () => {
    const { tools, counts } = setUp([]);
    await housekeep(tools, AbortSignal.abort());
    expect(counts.sweeps).toBe(0);
  });

  it('ends the lines of batches that are being cancelled, as many at a time as it takes', async () => {
    const left = [500, 500, 3];
    const asked: number[] = [];
    const { tools, clock } = setUp([], {
      endingIds: async () => [5],
      endOpen: async (batchId) => {
        asked.push(batchId);
        return left.shift() ?? 0;
      },
    });
    const stop = new AbortController();
    const done = housekeep(tools, stop.signal);
    await clock.asleepUntil();
    expect(asked).toEqual([5, 5, 5]);
    stop.abort();
    await done;
  });

  it('sweeps again before all lines of a long batch are ended: those of others fall due', async () => {
    const { tools, counts, clock } = setUp([], {
      endingIds: async () => [5],
      endOpen: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return 500;
      },
    });
    const stop = new AbortController();
    const done = housekeep(tools, stop.signal);
    const nextMs = await clock.asleepUntil();
    expect(counts.sweeps).toBe(1);
    clock.advanceTo(nextMs);
    await clock.asleepUntil();
    expect(counts.sweeps).toBe(2);
    stop.abort();
    await done;
  });

  it('removes the queues that nobody needs any more, once a minute', async () => {
    const { tools, counts, clock, removed, unused, log } = setUp([]);
    unused.push('alpha/old', 'beta/old');
    const stop = new AbortController();
    const done = housekeep(tools, stop.signal);
    for (let second = 1; second <= 60; second += 1) clock.advanceTo(await clock.asleepUntil());
    expect(counts.tidyings).toBe(1);
    await clock.asleepUntil();
    expect([counts.sweeps, counts.tidyings]).toEqual([61, 2]);
    expect(removed).toEqual(['alpha/old', 'beta/old']);
    expect(log.entries.map(({ event }) => event)).toEqual(['queue.removed', 'queue.removed']);
    stop.abort();
    await done;
  });
});
