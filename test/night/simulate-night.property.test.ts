import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLeastPossible } from '../../scripts/night/least-possible.ts';
import { grantAll } from '../../scripts/night/simulate/granting.ts';
import { idleLanes } from '../../scripts/night/simulate/idleness.ts';
import { openNightRun } from '../../scripts/night/simulate/night-run.ts';
import { replan } from '../../scripts/night/simulate/planning.ts';
import { simulateNight } from '../../scripts/night/simulate/simulate-night.ts';
import { openSolver } from '../../src/adapters/highs/open-solver.ts';
import { makeNight } from '../../scripts/night/nights.ts';
import { alikeDocuments, laneOf, nightOf } from './a-night.ts';
import { anyNight } from './any-night.ts';

const least = await openLeastPossible();
const solve = await openSolver();
const PLANNED = { solve, matching: 'planned', replanMs: 60_000 } as const;
const DAY_MS = 86_400_000;
const LONG = { timeout: 60_000 };
const RUNS = { numRuns: Number(process.env['RUNS'] ?? 25) };

test('by the plan every document is answered once, and no provider has to refuse a call', LONG, () => {
  fc.assert(
    fc.property(anyNight, (night) => {
      const { done, mostAnswers, rejected, calls } = simulateNight(night, PLANNED);
      expect({ done, mostAnswers, rejected }).toEqual({
        done: night.documents.length,
        mostAnswers: 1,
        rejected: 0,
      });
      expect(calls).toBe(night.documents.length);
    }),
    RUNS,
  );
});

test('no lane idles while it has room for something that the plan has no better place for', LONG, () => {
  fc.assert(
    fc.property(anyNight, (night) => {
      expect(simulateNight(night, PLANNED).idle).toEqual([]);
    }),
    RUNS,
  );
});

test('no simulated night is shorter than the least possible', LONG, () => {
  fc.assert(
    fc.property(anyNight, fc.constantFrom('planned' as const, 'local' as const), (night, matching) => {
      const { durationMs } = simulateNight(night, { ...PLANNED, matching });
      expect(durationMs).toBeGreaterThanOrEqual(least.leastPossible(night).leastMs);
    }),
    RUNS,
  );
});

test('by a deadline no more is done than is possible, and no lane idles before it', LONG, () => {
  fc.assert(
    fc.property(anyNight, fc.integer({ min: 5_000, max: 300_000 }), (whole, deadlineMs) => {
      const night = { ...whole, deadlineMs };
      const { done, mostAnswers, rejected, idle } = simulateNight(night, PLANNED);
      expect(done).toBeLessThanOrEqual(least.mostDocumentsBy(night, deadlineMs) + 1e-6);
      expect({ idle, rejected, isOnce: mostAnswers <= 1 }).toEqual({ idle: [], rejected: 0, isOnce: true });
    }),
    RUNS,
  );
});

test('where time is short, nearly as much is done as is possible by then', LONG, () => {
  const night = makeNight({ shape: 'short-deadline', seed: 1, scale: 0.25, faultless: true });
  const most = least.mostDocumentsBy(night, night.deadlineMs ?? 0);
  expect(simulateNight(night, { ...PLANNED, replanMs: 10_000 }).done).toBeGreaterThan(most * 0.93);
});

test('whatever fails, every document is answered once', LONG, () => {
  for (const seed of [1, 2]) {
    const night = makeNight({ shape: 'many-tiny', seed, scale: 0.2 });
    const { done, mostAnswers, calls } = simulateNight(night, PLANNED);
    expect(calls).toBeGreaterThan(night.documents.length);
    expect({ done, mostAnswers }).toEqual({ done: night.documents.length, mostAnswers: 1 });
  }
});

test('lanes that have not taken anything yet are found idle, and no more when they have', () => {
  const limits = [{ metric: 'requests', amount: 5, window: { kind: 'rolling', perMs: 60_000 } }] as const;
  const night = nightOf([laneOf('a', { limits }), laneOf('b', { limits })], alikeDocuments(40, 500));
  const run = openNightRun(night, PLANNED);
  replan(run);
  expect(idleLanes(run).map(({ laneId }) => laneId)).toEqual(['a/model', 'b/model']);
  grantAll(run);
  expect(idleLanes(run)).toEqual([]);
});

test('a night whose rest fits no lane comes to an end without it', () => {
  const night = nightOf(
    [laneOf('a', { contextTokens: 1_000 })],
    [...alikeDocuments(3, 500), ...alikeDocuments(1, 5_000, 'huge')],
  );
  expect(simulateNight(night, { ...PLANNED, replanMs: 600_000 }).done).toBe(3);
});

test('a lane whose limit all documents fit, but not the longest of their band, does its part', () => {
  const small = { metric: 'tokens', amount: 620, window: { kind: 'rolling', perMs: 10_000 } } as const;
  const tiers = [laneOf('large', { callMs: 20_000, concurrency: 1 }), laneOf('small', { limits: [small] })];
  const { lanes } = simulateNight(nightOf(tiers, alikeDocuments(40, 600)), PLANNED);
  expect(lanes.find(({ laneId }) => laneId === 'small/model')?.calls).toBeGreaterThan(0);
});

const perDay = (amount: number) =>
  ({
    metric: 'requests',
    amount,
    window: { kind: 'fixed', perMs: DAY_MS, anchorAtMs: Date.UTC(2026, 10, 20, 11, 0) },
  }) as const;
const perMinute = (amount: number) =>
  ({ metric: 'requests', amount, window: { kind: 'rolling', perMs: 60_000 } }) as const;
const everyTenthFails = (provider: string) => ({ provider, kind: 'http-500', everyNth: 10 }) as const;

test('a lane that failed a document may have it again after a while, and nobody waits for a day', () => {
  const tiers = [laneOf('steady', { limits: [perMinute(6)] }), laneOf('daily', { limits: [perDay(10)] })];
  const night = nightOf(tiers, alikeDocuments(100, 500), { faults: [everyTenthFails('steady')] });
  const { done, durationMs } = simulateNight(night, PLANNED);
  expect(done).toBe(100);
  expect(durationMs).toBeLessThan(30 * 60_000);
});

const LATE_FAILURES = { provider: 'large', kind: 'http-500', afterCalls: 50, count: 4 } as const;

test('what only a lane with little left may take goes there first, so that a failure can be made up for the same day', () => {
  const tiers = [
    laneOf('large', { limits: [perDay(60)], callMs: 5_000, concurrency: 2 }),
    laneOf('small', { limits: [perMinute(6)], contextTokens: 2_000 }),
  ];
  const documents = [...alikeDocuments(25, 20_000, 'large'), ...alikeDocuments(200, 500)];
  const night = nightOf(tiers, documents, { faults: [LATE_FAILURES] });
  const { done, durationMs } = simulateNight(night, PLANNED);
  expect(done).toBe(225);
  expect(durationMs).toBeLessThan(45 * 60_000);
});
