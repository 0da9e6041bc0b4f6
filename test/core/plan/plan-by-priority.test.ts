/** Plans where some batches go before others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makePlan, type Plan } from '../../../src/core/plan/plan.ts';
import type { Situation } from '../../../src/core/plan/situation.ts';
import { NOW_MS } from '../../app/fakes.ts';
import { aCell, aPlanLane, aPlanLimit, aRoute, aSituation, HOUR_MS, MINUTE_MS, solver } from './a-night.ts';

const LANES = ['alpha/small', 'beta/small'];

/** `alpha` opens in three hours, `beta` is open: large requests of the first batch, very many small ones of the second. */
const anUrgentNight = (priorities: readonly [number, number], changes: Partial<Situation> = {}): Situation =>
  aSituation({
    cells: [aCell(50, 8_000), aCell(10_000, 500, { routeId: 2 })],
    routes: priorities.map((priority, index) =>
      aRoute({ id: index + 1, batchId: index + 1, priority, laneIds: LANES }),
    ),
    lanes: [aPlanLane('alpha/small', { opensAtMs: NOW_MS + 3 * HOUR_MS }), aPlanLane('beta/small')],
    providers: LANES.map((id) => ({ id: id.split('/')[0] ?? '', concurrency: null })),
    limits: [
      aPlanLimit('alpha/small', 10, { kind: 'refill', perMs: MINUTE_MS }),
      aPlanLimit('beta/small', 20_000, { kind: 'refill', perMs: MINUTE_MS }, { metric: 'tokens' }),
    ],
    ...changes,
  });

/** What of a route is planned on a lane before anything changes, and after. */
const planned = (plan: Plan, routeId: number, laneId: string): { now: number; later: number } => {
  const shares = plan.lanes
    .filter((lane) => lane.laneId === laneId)
    .flatMap((lane) => lane.shares)
    .filter(({ sizeClass }) => sizeClass.cells.some((cell) => cell.routeId === routeId));
  return {
    now: Math.round(shares.reduce((sum, { now }) => sum + now, 0)),
    later: Math.round(shares.reduce((sum, { later }) => sum + later, 0)),
  };
};

const finishMs = (situation: Situation): number => (makePlan(situation, solver).finishAtMs ?? 0) - NOW_MS;

describe('A plan with a batch that goes before another', () => {
  it('has it done as early as if it were alone, though the night as a whole is longer by that', () => {
    expect(planned(makePlan(anUrgentNight([0, 0]), solver), 1, 'beta/small')).toEqual({ now: 0, later: 0 });
    const urgent = makePlan(anUrgentNight([9, 0]), solver);
    expect(planned(urgent, 1, 'beta/small')).toEqual({ now: 50, later: 0 });
    expect(urgent.cutsAtMs[0]).toBeLessThan(NOW_MS + 25 * MINUTE_MS);
    expect(finishMs(anUrgentNight([9, 0]))).toBeGreaterThan(finishMs(anUrgentNight([0, 0])) + MINUTE_MS);
  });

  it('leaves the order of levels to the highest three: all that is below goes together', () => {
    const routes = [5, 4, 3, 2, 1].map((priority, index) =>
      aRoute({ id: index + 1, batchId: index + 1, priority, laneIds: LANES }),
    );
    const night = anUrgentNight([0, 0], {
      cells: routes.map(({ id }) => aCell(100, 500, { routeId: id })),
      routes,
    });
    const classes = new Set(
      makePlan(night, solver)
        .lanes.flatMap(({ shares }) => shares)
        .map(({ sizeClass }) => sizeClass),
    );
    const together = [...classes].map(({ cells }) => cells.map(({ routeId }) => routeId).join());
    expect(together.toSorted((a, b) => a.localeCompare(b))).toEqual(['1', '2', '3,4,5']);
  });

  it('plans all of both, whatever there is of either', () => {
    const amount = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(amount, amount, fc.constantFrom(60, 500, 8_000), (urgent, other, tokens) => {
        const plan = makePlan(
          anUrgentNight([1, 0], { cells: [aCell(urgent, tokens), aCell(other, 900, { routeId: 2 })] }),
          solver,
        );
        const total = plan.lanes
          .flatMap(({ shares }) => shares)
          .reduce((sum, { now, later }) => sum + now + later, 0);
        expect(total).toBeGreaterThan((urgent + other) * 0.999);
      }),
      { numRuns: 25 },
    );
  });

  it('lets it expire last', () => {
    const expiresAtMs = NOW_MS + 10 * MINUTE_MS;
    const night = anUrgentNight([1, 0]);
    const plan = makePlan(
      {
        ...night,
        cells: [aCell(20, 8_000), aCell(1_000, 2_000, { routeId: 2 })],
        routes: night.routes.map((route) => ({ ...route, expiresAtMs })),
      },
      solver,
    );
    expect(planned(plan, 1, 'beta/small').now).toBe(20);
  });
});
