import { describe, expect, it } from 'vitest';
import { housekeep, sweepOnce } from '../../src/app/housekeep.ts';
import type { Swept } from '../../src/app/ports.ts';
import { aLedger, FakeClock, NOW_MS, recordingLog, someQueues } from './fakes.ts';

const NOTHING: Swept = { missingJobs: [], nextDueAtMs: null };

/** A ledger whose sweeps come out as given, then as nothing. */
const setUp = (sweeps: readonly (Swept | Error)[]) => {
  const left = [...sweeps];
  const counts = { sweeps: 0 };
  const addedAgain: [string, readonly number[]][] = [];
  const ledger = aLedger({
    sweep: async () => {
      counts.sweeps += 1;
      const next = left.shift() ?? NOTHING;
      if (next instanceof Error) throw next;
      return next;
    },
  });
  const queues = someQueues({
    addAgain: async (laneId, grantIds) => void addedAgain.push([laneId, grantIds]),
  });
  const clock = new FakeClock();
  const log = recordingLog();
  return { tools: { ledger, queues, clock, log }, counts, addedAgain, clock, log };
};

describe('sweepOnce', () => {
  it('adds the missing jobs of each lane again and tells when the next request falls due', async () => {
    const missingJobs = [
      { id: 1, laneId: 'alpha/small' },
      { id: 2, laneId: 'beta/small' },
      { id: 3, laneId: 'alpha/small' },
    ];
    const { tools, addedAgain, log } = setUp([{ missingJobs, nextDueAtMs: NOW_MS + 300 }]);
    await expect(sweepOnce(tools)).resolves.toBe(NOW_MS + 300);
    expect(addedAgain).toEqual([
      ['alpha/small', [1, 3]],
      ['beta/small', [2]],
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
});
