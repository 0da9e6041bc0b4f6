import { describe, expect, it } from 'vitest';
import { announcementOf, disagreements } from '../../src/app/announce.ts';
import type { LiveProcess, ScopedLimit } from '../../src/app/process-registry.ts';
import type { Window } from '../../src/core/model.ts';
import { aLane, aProvider, NOW_MS, routingFor } from './fakes.ts';

const ROLLING = { kind: 'rolling', perMs: 60_000 } as const;
const LANE = aLane('alpha/small', { limits: [{ metric: 'requests', amount: 10, window: ROLLING }] });
const PROVIDER = aProvider([LANE], {
  concurrency: 8,
  limits: [{ metric: 'tokens', amount: 6_000, window: { kind: 'refill', perMs: 60_000 } }],
});

describe('announcementOf', () => {
  it('names roles, lanes, limits and the calls at once of a worker', () => {
    const routing = routingFor([PROVIDER]);
    expect(announcementOf({ roles: ['worker'], routing, configHash: 'abc' })).toEqual({
      roles: ['worker'],
      configHash: 'abc',
      lanes: [{ lane: LANE, provider: PROVIDER }],
      limits: [
        { scope: 'alpha', metric: 'tokens', amount: 6_000, window: 'refilled over 60 s' },
        { scope: 'alpha', metric: 'calls', amount: 8, window: 'at once' },
        { scope: 'alpha/small', metric: 'requests', amount: 10, window: 'in any 60 s' },
        { scope: 'alpha/small', metric: 'calls', amount: 4, window: 'at once' },
      ],
    });
  });

  it('names no lanes of a process that makes no calls, but its limits', () => {
    const routing = routingFor([PROVIDER]);
    const said = announcementOf({ roles: ['api', 'dispatcher'], routing, configHash: 'abc' });
    expect(said.lanes).toEqual([]);
    expect(said.limits).toHaveLength(4);
  });

  it('has other words for windows that differ', () => {
    const windows: readonly Window[] = [
      ROLLING,
      { kind: 'rolling', perMs: 1_500 },
      { kind: 'refill', perMs: 60_000 },
      { kind: 'fixed', perMs: 60_000, anchorAtMs: NOW_MS },
      { kind: 'fixed', perMs: 60_000, anchorAtMs: NOW_MS + 1 },
      { kind: 'fixed-month', anchorAtMs: NOW_MS, timeZone: 'UTC' },
      { kind: 'fixed-month', anchorAtMs: NOW_MS, timeZone: 'Asia/Kolkata' },
      { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
      { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
      { kind: 'calendar', unit: 'day', timeZone: 'Asia/Kolkata' },
    ];
    const lane = aLane('alpha/small', {
      limits: windows.map((window) => ({ metric: 'requests', amount: 1, window })),
    });
    const { limits } = announcementOf({
      roles: [],
      routing: routingFor([aProvider([lane])]),
      configHash: '',
    });
    const words = limits.filter(({ metric }) => metric === 'requests').map(({ window }) => window);
    expect(new Set(words).size).toBe(windows.length);
  });
});

const minute = (amount: number): ScopedLimit => ({
  scope: 'alpha/small',
  metric: 'requests',
  window: 'in any 60 s',
  amount,
});

const aProcess = (pid: number, limits: readonly ScopedLimit[], startedAtMs = pid): LiveProcess => ({
  id: pid,
  host: 'here',
  pid,
  roles: ['worker'],
  startedAtMs,
  configHash: 'abc',
  limits,
  laneIds: [],
});

describe('disagreements', () => {
  it('are none where all say the same, or speak of different limits', () => {
    const day = { ...minute(1_000), window: 'per day of UTC' };
    const other = { ...minute(99), scope: 'beta/small' };
    const processes = [aProcess(1, [minute(10), day]), aProcess(2, [minute(10)]), aProcess(3, [other])];
    expect(disagreements(processes)).toEqual([]);
    expect(disagreements([])).toEqual([]);
  });

  it('name the limit, who says what, and that the process that started last is in force', () => {
    const [sentence, ...others] = disagreements([
      aProcess(1, [minute(10)], 300),
      aProcess(2, [minute(20)], 100),
      aProcess(3, [minute(10)], 200),
    ]);
    expect(others).toEqual([]);
    expect(sentence).toContain('alpha/small: requests in any 60 s are 10 by process 1 on here (worker)');
    expect(sentence).toContain('which started last and is in force, but 20 by process 2 on here (worker).');
    expect(sentence).toContain('Give them all the same configuration.');
    expect(sentence).not.toContain('process 3');
  });

  it('are one sentence for each limit', () => {
    const calls = (amount: number): ScopedLimit => ({
      ...minute(amount),
      metric: 'calls',
      window: 'at once',
    });
    const processes = [aProcess(1, [minute(1), calls(1)]), aProcess(2, [minute(2), calls(2)])];
    expect(disagreements(processes)).toHaveLength(2);
  });
});
