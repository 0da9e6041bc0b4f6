import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leftByDeadline, requestsLeft } from '../../../src/core/plan/by-deadline.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import type { Situation } from '../../../src/core/plan/situation.ts';
import { NOW_MS } from '../../app/fakes.ts';
import {
  aCell,
  aPlanLane,
  aPlanLimit,
  aRoute,
  aSituation,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  solver,
} from './a-night.ts';

const leftAt = (situation: Situation, atMs: number): number =>
  requestsLeft(leftByDeadline(situation, atMs, solver), () => true);

/** Ten requests in any minute, and 1,000 to do: 100 minutes. */
const pacedNight = aSituation({
  cells: [aCell(1_000, 500)],
  limits: [aPlanLimit('alpha/small', 10, { kind: 'refill', perMs: MINUTE_MS }, { used: 10 })],
});

describe('what is left at a deadline', () => {
  it('is what a limit does not let through by then', () => {
    expect(leftAt(pacedNight, NOW_MS + 30 * MINUTE_MS)).toBe(700);
  });

  it('is nothing once the plan is done', () => {
    const { finishAtMs } = makePlan(pacedNight, solver);
    expect(leftAt(pacedNight, (finishAtMs ?? 0) + 1_000)).toBe(0);
  });

  it('is everything where the deadline has passed', () => {
    expect(leftAt(pacedNight, NOW_MS)).toBe(1_000);
  });

  it('counts the reset of a day before the deadline, and none after it', () => {
    const untilResetMs = 10 * HOUR_MS;
    const day = { kind: 'fixed', perMs: DAY_MS, anchorAtMs: NOW_MS + untilResetMs } as const;
    const night = aSituation({
      cells: [aCell(1_000, 500)],
      limits: [aPlanLimit('alpha/small', 300, day, { used: 100 })],
    });
    expect(leftAt(night, NOW_MS + untilResetMs - MINUTE_MS)).toBe(800);
    expect(leftAt(night, NOW_MS + untilResetMs + HOUR_MS)).toBe(500);
  });

  it('has whatever no lane can ever take', () => {
    const night = aSituation({
      cells: [aCell(10, 500), aCell(3, 200_000)],
    });
    expect(leftAt(night, NOW_MS + DAY_MS)).toBe(3);
  });

  it('is never less at an earlier deadline', () => {
    const minutes = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(minutes, minutes, (a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)];
        expect(leftAt(pacedNight, NOW_MS + early * MINUTE_MS)).toBeGreaterThanOrEqual(
          leftAt(pacedNight, NOW_MS + late * MINUTE_MS),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('is shared out where classes have cells of other batches', () => {
    const routes = [aRoute(), aRoute({ id: 2, batchId: 2 })];
    const night = aSituation({
      cells: [aCell(300, 500), aCell(100, 500, { routeId: 2 })],
      routes,
      lanes: [aPlanLane('alpha/small')],
      limits: [aPlanLimit('alpha/small', 10, { kind: 'refill', perMs: MINUTE_MS }, { used: 10 })],
    });
    const left = leftByDeadline(night, NOW_MS + 20 * MINUTE_MS, solver);
    expect(requestsLeft(left, ({ routeId }) => routeId === 2)).toBe(50);
    expect(requestsLeft(left, ({ routeId }) => routeId === 1)).toBe(150);
  });
});
