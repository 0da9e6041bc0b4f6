import { describe, expect, it } from 'vitest';
import { firstWaitOf } from '../../../src/core/plan/first-wait.ts';
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

const waitIn = (situation: Situation, laneId = 'alpha/small') =>
  firstWaitOf(laneId, makePlan(situation, solver), situation);

const minute = (amount: number) => aPlanLimit('alpha/small', amount, { kind: 'rolling', perMs: MINUTE_MS });
const dayFrom = (anchorAtMs: number) => ({ kind: 'fixed', perMs: DAY_MS, anchorAtMs }) as const;

describe('the first wait of a lane', () => {
  it('comes when its day is used up at the pace of its minute, and lasts until the reset', () => {
    const resetMs = NOW_MS + 6 * HOUR_MS;
    const day = aPlanLimit('alpha/small', 600, dayFrom(resetMs), { used: 100 });
    const wait = waitIn(aSituation({ cells: [aCell(900, 500)], limits: [minute(10), day] }));
    expect(wait?.limit).toBe(day);
    expect(wait?.atMs).toBe(NOW_MS + 50 * MINUTE_MS);
    expect(wait?.untilMs).toBe(resetMs);
  });

  it('does not come where the day has room for all that is planned', () => {
    const day = aPlanLimit('alpha/small', 600, dayFrom(NOW_MS + 6 * HOUR_MS));
    expect(waitIn(aSituation({ cells: [aCell(500, 500)], limits: [minute(10), day] }))).toBeNull();
  });

  it('comes at once where the day is used up already', () => {
    const day = aPlanLimit('alpha/small', 600, dayFrom(NOW_MS + HOUR_MS), { used: 600 });
    const wait = waitIn(aSituation({ cells: [aCell(100, 500)], limits: [minute(10), day] }));
    expect(wait?.atMs).toBe(NOW_MS);
    expect(wait?.untilMs).toBe(NOW_MS + HOUR_MS);
  });

  it('has no end where the day refills all the time', () => {
    const bucket = aPlanLimit('alpha/small', 500, { kind: 'refill', perMs: DAY_MS });
    const wait = waitIn(aSituation({ cells: [aCell(900, 500)], limits: [minute(10), bucket] }));
    expect(wait?.limit).toBe(bucket);
    expect(wait?.untilMs).toBeNull();
    expect(wait?.atMs).toBeGreaterThan(NOW_MS + 50 * MINUTE_MS);
  });

  it('comes sooner where another lane of the provider uses the same day', () => {
    const day = aPlanLimit('alpha', 200, dayFrom(NOW_MS + 6 * HOUR_MS));
    const limits = [day, minute(10), aPlanLimit('alpha/large', 10, { kind: 'rolling', perMs: MINUTE_MS })];
    const both = aSituation({
      cells: [aCell(390, 500)],
      routes: [aRoute({ laneIds: ['alpha/small', 'alpha/large'] })],
      lanes: [aPlanLane('alpha/small'), aPlanLane('alpha/large')],
      limits,
    });
    expect(waitIn(both)?.limit).toBe(day);
    expect(waitIn(both)?.atMs).toBeLessThan(NOW_MS + 19 * MINUTE_MS);
  });

  it('is none for a lane that the plan does not use', () => {
    const idle = aSituation({
      cells: [aCell(10, 500)],
      lanes: [aPlanLane('alpha/small'), aPlanLane('beta/x')],
    });
    expect(waitIn(idle, 'beta/x')).toBeNull();
  });
});
