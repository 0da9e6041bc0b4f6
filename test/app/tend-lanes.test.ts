import { describe, expect, it } from 'vitest';
import type { ServedLane } from '../../src/app/process-registry.ts';
import { tendLanes } from '../../src/app/tend-lanes.ts';
import { aLane, aProvider, FakeClock, NOW_MS, recordingLog } from './fakes.ts';

const served = (id: string): ServedLane => {
  const lane = aLane(id);
  return { lane, provider: aProvider([lane]) };
};
const SMALL = served('alpha/small');
const OTHER = served('beta/small');

/** Lanes that are tended until told otherwise; steps in their order. */
const setUp = () => {
  const clock = new FakeClock();
  const log = recordingLog();
  const stop = new AbortController();
  const listeners = new Set<(woken: string) => void>();
  const steps: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const wanted: { lanes: readonly ServedLane[] | Error } = { lanes: [SMALL] };
  const counts = { looks: 0 };
  /** Ends where it is told to: by its signal unless `holds` says that the test ends it. */
  const holds = { on: false };
  const tend = async ({ lane }: ServedLane, signal: AbortSignal): Promise<void> => {
    const end = Promise.withResolvers<void>();
    ends.set(lane.id, end);
    steps.push(`start ${lane.id}`);
    signal.addEventListener('abort', () => {
      steps.push(`leave ${lane.id}`);
      if (!holds.on) end.resolve();
    });
    await end.promise;
    steps.push(`end ${lane.id}`);
  };
  const lanes = async (): Promise<readonly ServedLane[]> => {
    counts.looks += 1;
    if (wanted.lanes instanceof Error) throw wanted.lanes;
    return wanted.lanes;
  };
  const wake = {
    listen: (listener: (woken: string) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const send = (woken: string): void => {
    for (const listener of listeners) listener(woken);
  };
  const done = tendLanes({ wake, clock, log }, lanes, tend, stop.signal);
  /** Moves on to the next look at the set, and no further. */
  const look = async (): Promise<void> => {
    const before = counts.looks;
    for (;;) {
      const atMs = await clock.asleepUntil();
      if (counts.looks > before) return;
      clock.advanceTo(atMs);
    }
  };
  const finish = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return { clock, log, stop, listeners, steps, ends, wanted, counts, holds, send, look, finish, done };
};

describe('tendLanes', () => {
  it('starts every lane once and keeps it while it is wanted', async () => {
    const set = setUp();
    set.wanted.lanes = [SMALL, OTHER];
    await set.clock.asleepUntil();
    await set.look();
    await set.look();
    expect(set.steps).toEqual(['start alpha/small', 'start beta/small']);
    await set.finish();
  });

  it('starts a lane that comes later, at the next look 5 s later or at once when there is news', async () => {
    const set = setUp();
    await set.clock.asleepUntil();
    set.wanted.lanes = [SMALL, OTHER];
    await set.look();
    expect(set.clock.nowMs()).toBe(NOW_MS + 5_200);
    expect(set.steps).toEqual(['start alpha/small', 'start beta/small']);
    const third = served('gamma/small');
    set.wanted.lanes = [third];
    set.clock.advanceTo(NOW_MS + 5_400);
    await set.clock.asleepUntil();
    set.send('*');
    await set.clock.asleepUntil();
    expect(set.steps.at(-1)).toBe('start gamma/small');
    expect(set.clock.nowMs()).toBe(NOW_MS + 5_400);
    await set.finish();
  });

  it('does not look again for the news of one provider, nor more often than every 200 ms', async () => {
    const set = setUp();
    expect(await set.clock.asleepUntil()).toBe(NOW_MS + 200);
    set.send('*');
    set.send('*');
    expect(set.counts.looks).toBe(1);
    set.clock.advanceTo(NOW_MS + 200);
    expect(await set.clock.asleepUntil()).toBe(NOW_MS + 400);
    expect(set.counts.looks).toBe(2);
    set.clock.advanceTo(NOW_MS + 400);
    await set.clock.asleepUntil();
    set.send('alpha');
    expect(set.counts.looks).toBe(2);
    await set.finish();
  });

  it('starts a lane again that failed, and logs why', async () => {
    const set = setUp();
    await set.clock.asleepUntil();
    set.ends.get('alpha/small')?.reject(new Error('no connection'));
    await set.look();
    expect(set.steps).toEqual(['start alpha/small', 'start alpha/small']);
    expect(set.log.entries).toMatchObject([
      { level: 'error', event: 'lane.failed', fields: { laneId: 'alpha/small' } },
    ]);
    await set.finish();
  });

  it('leaves a lane only after nobody wanted it for 30 s, since the next batch often wants the same', async () => {
    const set = setUp();
    await set.clock.asleepUntil();
    set.wanted.lanes = [];
    while (set.clock.nowMs() < NOW_MS + 20_000) await set.look();
    set.wanted.lanes = [SMALL];
    await set.look();
    const wantedLastMs = set.clock.nowMs();
    set.wanted.lanes = [];
    while (set.clock.nowMs() + 5_200 <= wantedLastMs + 30_000) await set.look();
    expect(set.steps).toEqual(['start alpha/small']);
    await set.look();
    expect(set.steps).toEqual(['start alpha/small', 'leave alpha/small', 'end alpha/small']);
    set.wanted.lanes = [SMALL];
    await set.look();
    expect(set.steps.at(-1)).toBe('start alpha/small');
    await set.finish();
  });

  it('keeps what it has while the set is not known, and logs that', async () => {
    const set = setUp();
    await set.clock.asleepUntil();
    set.wanted.lanes = new Error('the record is away');
    while (set.clock.nowMs() < NOW_MS + 60_000) await set.look();
    expect(set.steps).toEqual(['start alpha/small']);
    expect(set.log.entries[0]).toMatchObject({ level: 'error', event: 'lanes.unknown' });
    await set.finish();
  });

  it('tells all lanes when it is stopped, waits until they have ended, and no longer listens', async () => {
    const set = setUp();
    set.wanted.lanes = [SMALL, OTHER];
    await set.clock.asleepUntil();
    await set.look();
    set.holds.on = true;
    set.stop.abort();
    let isOver = false;
    const done = set.done.finally(() => {
      isOver = true;
    });
    set.ends.get('alpha/small')?.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    expect(set.steps).toContain('leave beta/small');
    set.ends.get('beta/small')?.resolve();
    await done;
    expect(set.listeners.size).toBe(0);
  });
});
