/** Plans of nights that are too short: as many requests as can be, before they expire. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leftByDeadline, requestsLeft } from '../../../src/core/plan/by-deadline.ts';
import { forecastsOf } from '../../../src/core/plan/forecast.ts';
import { makePlan, type Plan } from '../../../src/core/plan/plan.ts';
import type { Situation } from '../../../src/core/plan/situation.ts';
import { NOW_MS } from '../../app/fakes.ts';
import { aCell, aPlanLane, aPlanLimit, aRoute, aSituation, HOUR_MS, MINUTE_MS, solver } from './a-night.ts';

const LANES = ['alpha/small', 'beta/small'];

/** Large and small requests, a lane that tokens bind, and one that its calls bind: some 42 minutes. */
const aLongNight = (expiresAfterMs: number | null, changes: Partial<Situation> = {}): Situation =>
  aSituation({
    cells: [aCell(200, 8_000), aCell(600, 300)],
    routes: [
      aRoute({
        laneIds: LANES,
        ...(expiresAfterMs === null ? {} : { expiresAtMs: NOW_MS + expiresAfterMs }),
      }),
    ],
    lanes: LANES.map((id) => aPlanLane(id)),
    providers: LANES.map((id) => ({ id: id.split('/')[0] ?? '', concurrency: null })),
    limits: [
      aPlanLimit('alpha/small', 10_000, { kind: 'refill', perMs: MINUTE_MS }, { metric: 'tokens' }),
      aPlanLimit('beta/small', 4, { kind: 'refill', perMs: MINUTE_MS }),
    ],
    ...changes,
  });

/** What is planned until an instant, of prompts up to a size. */
const planned = (plan: Plan, mostTokens = Infinity): number =>
  plan.lanes
    .flatMap(({ shares }) => shares)
    .filter(({ sizeClass }) => sizeClass.promptTokens <= mostTokens)
    .reduce((sum, { now, later }) => sum + now + later, 0);

const sharesOf = (situation: Situation) =>
  makePlan(situation, solver).lanes.map((lane) => lane.shares.map(({ now, later }) => [now, later]));

const finishMs = (situation: Situation): number => (makePlan(situation, solver).finishAtMs ?? 0) - NOW_MS;

describe('A plan for requests that expire before all can be done', () => {
  it('is for as many as can be done by then, which are the small ones', () => {
    const night = aLongNight(8 * MINUTE_MS);
    const plan = makePlan(night, solver);
    const left = requestsLeft(leftByDeadline(night, NOW_MS + 8 * MINUTE_MS, solver), () => true);
    expect(Math.floor(planned(plan))).toBe(800 - left);
    expect(planned(plan, 1_000)).toBeGreaterThan(250);
    expect(planned(plan) - planned(plan, 1_000)).toBeLessThan(1);
  });

  it('says when all would be done, as if nothing expired', () => {
    expect(finishMs(aLongNight(20 * MINUTE_MS))).toBeCloseTo(finishMs(aLongNight(null)), -3);
  });

  it('is the plan of any night where there is time enough', () => {
    expect(sharesOf(aLongNight(3 * HOUR_MS))).toEqual(sharesOf(aLongNight(null)));
  });

  it('never is for fewer than another deadline allows, at any deadline', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), (minutes) => {
        const night = aLongNight(minutes * MINUTE_MS);
        const left = leftByDeadline(night, NOW_MS + minutes * MINUTE_MS, solver);
        const most = 800 - left.reduce((sum, { count }) => sum + count, 0);
        expect(planned(makePlan(night, solver))).toBeGreaterThan(most * 0.999 - 0.01);
      }),
      { numRuns: 25 },
    );
  });

  it('has what does not expire done after it, and all of that', () => {
    const night = aLongNight(20 * MINUTE_MS);
    const own = { id: 2, batchId: 2 };
    const both = {
      ...night,
      cells: [...night.cells, aCell(100, 900, { routeId: 2 })],
      routes: [...night.routes, aRoute({ ...own, laneIds: LANES })],
    };
    const ofOther = makePlan(both, solver)
      .lanes.flatMap(({ shares }) => shares)
      .filter(({ sizeClass }) => sizeClass.expiresAtMs === undefined);
    expect(ofOther.reduce((sum, { now, later }) => sum + now + later, 0)).toBeCloseTo(100, 0);
  });

  it('leaves no lane without a wish for what expires in less time than a plan can tell', () => {
    const plan = makePlan(aLongNight(5_000), solver);
    expect(plan.lanes.map(({ shares }) => shares.some(({ now, later }) => now + later > 0))).toEqual([
      true,
      true,
    ]);
  });

  it('does not make it unknown when all would be done', () => {
    const night = aLongNight(20 * MINUTE_MS);
    const plans = new Map([[1, makePlan(night, solver)]]);
    const { finishAtMs } = forecastsOf({ situation: night, plans, before: new Map() }).get(1) ?? {};
    expect((finishAtMs ?? 0) - NOW_MS).toBeGreaterThan(40 * MINUTE_MS);
  });
});
