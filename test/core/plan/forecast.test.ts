import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import {
  finishingOrder,
  type Forecast,
  type Forecasts,
  forecastsOf,
  situationUntil,
} from '../../../src/core/plan/forecast.ts';
import type { Solve } from '../../../src/core/plan/linear-programme.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import type { PlanRoute, Situation } from '../../../src/core/plan/situation.ts';
import { aCell, aPlanLane, aPlanLimit, aSituation, NOW_MS } from './a-situation.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

let solve: Solve;
beforeAll(async () => {
  solve = await openSolver();
});

/** The route of a batch of the same number. */
const aRoute = (id: number, differences: Partial<PlanRoute> = {}): PlanRoute => ({
  id,
  batchId: id,
  priority: 0,
  laneIds: ['alpha/small'],
  ...differences,
});

/** As keep-planning does, with a plan for every batch. */
const forecast = (situation: Situation, before: Forecasts = new Map()): Forecasts =>
  forecastsOf({
    situation,
    before,
    plans: new Map(
      finishingOrder(situation).map((id) => [id, makePlan(situationUntil(situation, id), solve)]),
    ),
  });

const minutesOf = (forecasts: Forecasts, batchId: number): number | null => {
  const finishAtMs = forecasts.get(batchId)?.finishAtMs;
  return finishAtMs === undefined || finishAtMs === null ? null : (finishAtMs - NOW_MS) / MINUTE_MS;
};

/** Thirty requests a minute on one lane, and so many for each batch. */
const shared = (counts: readonly number[], priorities: readonly number[] = []): Situation =>
  aSituation({
    routes: counts.map((_, index) => aRoute(index + 1, { priority: priorities[index] ?? 0 })),
    answers: counts.map((_, index) => ({ batchId: index + 1, band: 28, answers: 8, tokens: 1_200 })),
    cells: counts.map((count, index) => aCell(28, count, { routeId: index + 1 })),
  });

describe('a forecast', () => {
  it('of a single batch is when its plan is done, and the last call has come back', () => {
    const situation = shared([1_000]);
    const plan = makePlan(situation, solve);
    expect(forecast(situation).get(1)).toMatchObject({
      madeAtMs: NOW_MS,
      finishAtMs: (plan.finishAtMs ?? 0) + 1_000,
      next: null,
    });
  });

  it('of batches that share fairly lets the shorter be done when each has had as much', () => {
    const forecasts = forecast(shared([300, 900]));
    expect(minutesOf(forecasts, 1)).toBeCloseTo(600 / 30, -0.5);
    expect(minutesOf(forecasts, 2)).toBeCloseTo(1_200 / 30, -0.5);
  });

  it('of a batch of higher priority takes no notice of the others, which come after it', () => {
    const forecasts = forecast(shared([300, 900], [0, 1]));
    expect(minutesOf(forecasts, 2)).toBeCloseTo(900 / 30, -0.5);
    expect(minutesOf(forecasts, 1)).toBeCloseTo(1_200 / 30, -0.5);
  });

  it('never says that a batch is done before those that go before it, and the last is done with the whole plan', () => {
    const batch = fc.record({
      count: fc.integer({ min: 1, max: 3_000 }),
      priority: fc.integer({ min: -1, max: 1 }),
      band: fc.integer({ min: 18, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 4 }), (batches) => {
        const situation = aSituation({
          routes: batches.map(({ priority }, index) => aRoute(index + 1, { priority })),
          cells: batches.map(({ count, band }, index) => aCell(band, count, { routeId: index + 1 })),
        });
        const order = finishingOrder(situation);
        const forecasts = forecast(situation);
        const finishes = order.map((id) => forecasts.get(id)?.finishAtMs ?? Number.NaN);
        for (const [index, finishAtMs] of finishes.entries())
          expect(finishAtMs).toBeGreaterThanOrEqual((finishes[index - 1] ?? NOW_MS) - MINUTE_MS);
        const last = order.at(-1) ?? 0;
        expect(situationUntil(situation, last).cells.map(({ count }) => count)).toEqual(
          situation.cells.map(({ count }) => count),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('of a batch without a plan of its own is that of the next one that has one', () => {
    const situation = shared([100, 200, 300]);
    const forecasts = forecastsOf({
      situation,
      before: new Map(),
      plans: new Map([[3, makePlan(situation, solve)]]),
    });
    expect(minutesOf(forecasts, 1)).toBe(minutesOf(forecasts, 3));
  });

  it('cannot tell where no lane may take some of it, and names the first instant at which one opens', () => {
    const situation = aSituation({
      routes: [aRoute(1), aRoute(2, { laneIds: ['beta/small'] }), aRoute(3, { laneIds: [] })],
      cells: [1, 2, 3].map((routeId) => aCell(28, 10, { routeId })),
      lanes: [aPlanLane('alpha/small'), aPlanLane('beta/small', { opensAtMs: Infinity })],
    });
    const forecasts = forecast(situation);
    expect([1, 2, 3].map((id) => minutesOf(forecasts, id) === null)).toEqual([false, true, true]);
    expect(forecasts.get(2)).toMatchObject({ spreadMs: 0, next: null });
  });

  it('of a batch of which nothing waits is the end of the calls under way', () => {
    const situation = aSituation({ cells: [] });
    expect(forecast(situation).get(1)).toMatchObject({ finishAtMs: NOW_MS + 1_000, next: null });
  });
});

describe('what is next', () => {
  const dayLimit = aPlanLimit('alpha', {
    window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
    amount: 100,
    used: 40,
    marginMs: 2_000,
  });

  it('is the reset of a day that binds, if the batch lasts so long', () => {
    const long = shared([90]);
    const forecasts = forecast({ ...long, limits: [...long.limits, dayLimit] });
    expect(forecasts.get(1)?.next).toEqual({ scope: 'alpha', atMs: NOW_MS + 2 * HOUR_MS + 2_000 });
    expect(minutesOf(forecasts, 1)).toBeGreaterThan(120);
    const short = shared([50]);
    expect(forecast({ ...short, limits: [...short.limits, dayLimit] }).get(1)?.next).toBeNull();
  });

  it('is the opening of one of its lanes that comes before it is done', () => {
    const situation = {
      ...shared([1_000, 1_000]),
      lanes: [aPlanLane('alpha/small'), aPlanLane('beta/small', { opensAtMs: NOW_MS + 10 * MINUTE_MS })],
    };
    const [first, second] = situation.routes;
    const routes = [
      ...(first === undefined ? [] : [{ ...first, laneIds: ['alpha/small', 'beta/small'] }]),
      ...(second === undefined ? [] : [second]),
    ];
    const forecasts = forecast({ ...situation, routes });
    expect(forecasts.get(1)?.next).toEqual({ scope: 'beta/small', atMs: NOW_MS + 10 * MINUTE_MS });
    expect(forecasts.get(2)?.next).toBeNull();
  });

  it('is when a long window that rolls has some again, only while it is used up', () => {
    const rolling = {
      ...dayLimit,
      window: { kind: 'rolling', perMs: 24 * HOUR_MS },
      freeings: Array.from({ length: 20 }, (_, hour) => ({ atMs: NOW_MS + (hour + 1) * HOUR_MS, amount: 5 })),
    } as const;
    const situation = shared([90]);
    const nextIf = (used: number) =>
      forecast({ ...situation, limits: [...situation.limits, { ...rolling, used }] }).get(1)?.next;
    expect(nextIf(100)).toEqual({ scope: 'alpha', atMs: NOW_MS + HOUR_MS });
    expect(nextIf(50)).toBeNull();
  });
});

const spreadOf = (situation: Situation, before: Partial<Forecast> | null = null): number => {
  const said: Forecast = { madeAtMs: NOW_MS, finishAtMs: null, spreadMs: 0, next: null, ...before };
  return forecast(situation, new Map(before === null ? [] : [[1, said]])).get(1)?.spreadMs ?? 0;
};
const minutes = (spreadMs: number): number => Math.round(spreadMs / MINUTE_MS);

describe('how far it may be wrong', () => {
  /** An hour and 40 minutes. */
  const long = shared([3_000]);

  it('is a share of the rest, more while answers are unknown, and never less than a minute', () => {
    expect(minutes(spreadOf(long))).toBe(5);
    expect(minutes(spreadOf({ ...long, answers: [] }))).toBe(20);
    expect(spreadOf(shared([30]))).toBe(MINUTE_MS);
  });

  it('is as much as it has just moved or is left, and halves in ten minutes; of a guess nothing is remembered', () => {
    const finishAtMs = forecast(long).get(1)?.finishAtMs ?? 0;
    expect(minutes(spreadOf(long, { finishAtMs: finishAtMs - 30 * MINUTE_MS }))).toBe(30);
    const unsure = { finishAtMs, spreadMs: 40 * MINUTE_MS };
    expect(minutes(spreadOf(long, { ...unsure, madeAtMs: NOW_MS - 10 * MINUTE_MS }))).toBe(20);
    expect(minutes(spreadOf(long, { ...unsure, madeAtMs: NOW_MS - 60 * MINUTE_MS }))).toBe(5);
    expect(minutes(spreadOf(long, { ...unsure, isGuess: true }))).toBe(5);
    expect(minutes(spreadOf(long, { finishAtMs: finishAtMs - 600 * MINUTE_MS }))).toBe(
      minutes(finishAtMs - NOW_MS),
    );
  });
});
