import { expect, test } from 'vitest';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import { leftByDeadline } from '../../../src/core/plan/by-deadline.ts';
import { forecastsOf } from '../../../src/core/plan/forecast.ts';
import { makePlan, type Plan } from '../../../src/core/plan/plan.ts';
import { segmentsOf } from '../../../src/core/plan/segments.ts';
import type { PlanRoute, Situation } from '../../../src/core/plan/situation.ts';
import { aCell, aPlanLane, aPlanLimit, aSituation, NOW_MS } from './a-situation.ts';

const solve = await openSolver();
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY = { kind: 'calendar', unit: 'day', timeZone: 'UTC' } as const;
const finishOf = (situation: Parameters<typeof makePlan>[0]): number =>
  (makePlan(situation, solve).finishAtMs ?? Infinity) - NOW_MS;

test('a lane that nobody has slots for is left out, and the others are planned', () => {
  const lanes = [aPlanLane('alpha/small'), aPlanLane('alpha/idle', { slots: 0 })];
  expect(finishOf(aSituation({ lanes }))).toBeGreaterThan(30 * MINUTE_MS);
});

test('what a long rolling window has given is not given again before it ends', () => {
  const limits = [
    aPlanLimit('alpha/small', { window: { kind: 'rolling', perMs: 24 * HOUR_MS }, amount: 500 }),
  ];
  expect(finishOf(aSituation({ limits, cells: [aCell(28, 700)] }))).toBeGreaterThan(24 * HOUR_MS);
});

test('what comes back all at once does not come back little by little', () => {
  const used = { amount: 1_000, used: 1_000, freeings: [{ atMs: NOW_MS + 2 * HOUR_MS, amount: 1_000 }] };
  const limits = [aPlanLimit('alpha/small', { window: { kind: 'rolling', perMs: 24 * HOUR_MS }, ...used })];
  expect(finishOf(aSituation({ limits, cells: [aCell(28, 500)] }))).toBeGreaterThan(2 * HOUR_MS);
});

test('a month that ends after all else leaves nothing undone', () => {
  const openings = Array.from({ length: 12 }, (_, index) =>
    aPlanLane(`other/${index}`, { opensAtMs: NOW_MS + (index + 1) * HOUR_MS }),
  );
  const month = { kind: 'calendar', unit: 'month', timeZone: 'UTC' } as const;
  const situation = aSituation({
    lanes: [aPlanLane('alpha/small'), ...openings],
    limits: [aPlanLimit('alpha/small', { window: month, amount: 900 })],
  });
  expect(makePlan(situation, solve).undone).toEqual([]);
});

/** Ten lanes that take nothing of it open one after the other, and then the one that takes all. */
const aNightAfterManyOpenings = (opensAfterMs: number): Situation => {
  const others = Array.from({ length: 10 }, (_, index) =>
    aPlanLane(`other/${index}`, {
      opensAtMs: NOW_MS + (index + 1) * HOUR_MS,
      contextTokens: index === 0 ? 100 : 8_192,
    }),
  );
  return aSituation({
    cells: [aCell(28, 1_000), aCell(16, 10, { routeId: 2 })],
    routes: [
      { id: 1, batchId: 1, priority: 0, laneIds: ['alpha/small'] },
      { id: 2, batchId: 2, priority: 0, laneIds: others.map(({ id }) => id) },
    ],
    lanes: [...others, aPlanLane('alpha/small', { opensAtMs: NOW_MS + opensAfterMs })],
  });
};

test('a lane that opens after many others is planned for when it opens', () => {
  const plan = makePlan(aNightAfterManyOpenings(20 * HOUR_MS), solve);
  expect(plan.undone).toEqual([]);
  expect((plan.finishAtMs ?? 0) - NOW_MS).toBeGreaterThan(20 * HOUR_MS);
  expect((plan.finishAtMs ?? 0) - NOW_MS).toBeLessThan(21 * HOUR_MS);
  expect(sharesOf(plan, 'alpha/small')).toBeCloseTo(1_000, 0);
});

test('what a lane does that opens after many others is not left at a deadline', () => {
  const situation = aNightAfterManyOpenings(20 * HOUR_MS);
  expect(leftByDeadline(situation, NOW_MS + 21 * HOUR_MS, solve)).toEqual([]);
});

test('of what takes longer than can be seen nobody says when it is done', () => {
  const month = { kind: 'calendar', unit: 'month', timeZone: 'UTC' } as const;
  const situation = aSituation({ limits: [aPlanLimit('alpha/small', { window: month, amount: 1 })] });
  const plan = makePlan(situation, solve);
  expect(plan.undone).toMatchObject([{ count: expect.closeTo(997, -1) }]);
  const forecasts = forecastsOf({ situation, plans: new Map([[1, plan]]), before: new Map() });
  expect(forecasts.get(1)?.finishAtMs).toBeNull();
});

test('a night with many cuts has few segments, near ones exactly, or all of it less exactly', () => {
  const situation = aNightAfterManyOpenings(20 * HOUR_MS);
  const hours = (isWhole: boolean): readonly number[] =>
    segmentsOf(situation, { isWhole }).map(({ startMs }) => Math.round((startMs - NOW_MS) / HOUR_MS));
  expect(hours(false)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(hours(true)).toHaveLength(10);
  expect(hours(true).at(-1)).toBe(20);
});

test('what waits for a person is said to, and the rest is done as soon as it can be', () => {
  const situation = aNightAfterManyOpenings(Infinity);
  const plan = makePlan(situation, solve);
  expect([plan.undone, plan.unplannable.map(({ count }) => count)]).toEqual([[], [1_000]]);
  expect((plan.finishAtMs ?? 0) - NOW_MS).toBeLessThan(3 * HOUR_MS);
  const forecasts = forecastsOf({ situation, plans: new Map([[1, plan]]), before: new Map() });
  expect(forecasts.get(1)?.finishAtMs).toBeNull();
});

const sharesOf = (plan: Plan, laneId: string): number =>
  plan.lanes
    .filter((lane) => lane.laneId === laneId)
    .flatMap(({ shares }) => shares)
    .reduce((sum, { now, later }) => sum + now + later, 0);

// Instants at which lanes open that nothing waits for take the place of those that matter.
test('lanes that nothing waits for do not make the plan worse', () => {
  const openings = Array.from({ length: 12 }, (_, index) =>
    aPlanLane(`other/${index}`, { opensAtMs: NOW_MS + (index + 1) * 10 * MINUTE_MS }),
  );
  const day = aSituation({
    limits: [aPlanLimit('alpha/small', { window: DAY, amount: 1_000, used: 1_000 })],
    cells: [aCell(28, 500)],
  });
  const crowded = { ...day, lanes: [...day.lanes, ...openings] };
  expect(finishOf(crowded)).toBeLessThan(finishOf(day) + MINUTE_MS);
});

// Each cut is moved to the next one that is close to where it was moved before.
test('lanes that open one soon after the other are not all taken to open with the last', () => {
  const lanes = Array.from({ length: 30 }, (_, index) =>
    aPlanLane(`alpha/${index}`, { opensAtMs: NOW_MS + (index + 2) * 20_000 }),
  );
  const routes = [{ id: 1, batchId: 1, priority: 0, laneIds: lanes.map(({ id }) => id) }];
  expect(finishOf(aSituation({ lanes, routes, limits: [], cells: [aCell(28, 100)] }))).toBeLessThan(
    2 * MINUTE_MS,
  );
});

type Guess = 'awaited' | 'untold';

/** A lane with a day, one with a minute, and a new one; `others`: they were not heard of either. */
const aNightWithANewLane = (
  { guess, others, ...route }: Record<'guess', Guess> & Partial<Record<'others', Guess>> & Partial<PlanRoute>,
  count: number,
) =>
  aSituation({
    cells: [aCell(28, count)],
    routes: [
      { id: 1, batchId: 1, priority: 0, laneIds: ['alpha/day', 'alpha/minute', 'alpha/new'], ...route },
    ],
    lanes: [
      aPlanLane('alpha/day', others === undefined ? {} : { guess: others }),
      aPlanLane('alpha/minute', others === undefined ? {} : { guess: others }),
      aPlanLane('alpha/new', { guess }),
    ],
    limits: [
      aPlanLimit('alpha/day', { window: DAY, amount: 200 }),
      aPlanLimit('alpha/minute'),
      aPlanLimit('alpha/new', { window: DAY, amount: 200 }),
    ],
  });

const boundsOf = (...of: Parameters<typeof aNightWithANewLane>): readonly number[] =>
  makePlan(aNightWithANewLane(...of), solve).lanes.map(({ most }) => most);

test('in a long night quota that does not come back soon waits until every lane that was called has answered once', () => {
  expect(boundsOf({ guess: 'awaited' }, 4_000)).toEqual([0, Infinity, 0]);
  expect(boundsOf({ guess: 'untold' }, 4_000)).toEqual([Infinity, Infinity, Infinity]);
  expect(boundsOf({ guess: 'awaited' }, 400)).toEqual([Infinity, Infinity, Infinity]);
});

test.each([
  { expiresAtMs: NOW_MS + 5 * MINUTE_MS },
  { pays: { deadlineAtMs: NOW_MS + 5 * MINUTE_MS, leftNanoDollars: 1e9 } },
])('nobody waits where something is due within minutes', (due) => {
  expect(boundsOf({ guess: 'awaited', ...due }, 4_000)).toEqual([Infinity, Infinity, Infinity]);
});

test('where no lane was ever heard of, of quota that does not come back soon one call is made', () => {
  expect(boundsOf({ guess: 'untold', others: 'untold' }, 4_000)).toEqual([1, Infinity, 1]);
  expect(boundsOf({ guess: 'awaited', others: 'untold' }, 4_000)).toEqual([1, Infinity, 0]);
  expect(boundsOf({ guess: 'untold', others: 'untold' }, 400)).toEqual([Infinity, Infinity, Infinity]);
});

test('a lane whose minutes set its pace does not wait, though it has a day that is enough for the night', () => {
  const night = aNightWithANewLane({ guess: 'awaited' }, 4_000);
  const mostOf = (amount: number): number | undefined =>
    makePlan(
      { ...night, limits: [...night.limits, aPlanLimit('alpha/minute', { window: DAY, amount })] },
      solve,
    ).lanes[1]?.most;
  expect(mostOf(100_000)).toBe(Infinity);
  expect(mostOf(100)).toBe(0);
});
