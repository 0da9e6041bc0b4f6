import { expect, test } from 'vitest';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import { OTHERS_FIRST_MS } from '../../../src/core/plan/lanes-back.ts';
import { makePlan, type Plan } from '../../../src/core/plan/plan.ts';
import type { PlanRoute, Situation } from '../../../src/core/plan/situation.ts';
import { aCell, aPlanLane, aPlanLimit, aSituation, NOW_MS } from './a-situation.ts';

const solve = await openSolver();
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const QUICK = 'alpha/quick';
const OTHER = 'beta/other';

/** So many requests for a lane of thirty a minute; one of them has failed there, and has another lane until it comes back. */
const aNight = (
  count: number,
  other: Partial<Situation['lanes'][number]>,
  rest: Partial<PlanRoute> = {},
): Situation =>
  aSituation({
    cells: [aCell(28, count), aCell(28, 1, { routeId: 2 })],
    routes: [
      { id: 1, batchId: 1, priority: 0, laneIds: [QUICK], ...rest },
      { id: 2, batchId: 1, priority: 0, laneIds: [OTHER], laneIdsSoon: [QUICK, OTHER], ...rest },
    ],
    lanes: [aPlanLane(QUICK), aPlanLane(OTHER, other)],
    providers: [
      { id: 'alpha', concurrency: null },
      { id: 'beta', concurrency: null },
    ],
    limits: [aPlanLimit(QUICK)],
  });

const leftMs = ({ finishAtMs }: Plan): number => (finishAtMs ?? Infinity) - NOW_MS;
const onOther = ({ lanes }: Plan): number =>
  lanes
    .filter(({ laneId }) => laneId === OTHER)
    .flatMap(({ shares }) => shares)
    .reduce((sum, { now, later }) => sum + now + later, 0);

test('a lane that comes back in minutes is not taken for gone: the night does not wait for the next day of another', () => {
  const plan = makePlan(aNight(1_000, { opensAtMs: NOW_MS + 20 * HOUR_MS }), solve);
  expect(leftMs(plan)).toBeLessThan(40 * MINUTE_MS);
  expect(plan.undone).toEqual([]);
});

test('near the end of a night the other lane has it, if it is done sooner there', () => {
  const plan = makePlan(aNight(10, { callMs: 20_000 }), solve);
  expect(onOther(plan)).toBeCloseTo(1, 3);
  expect(leftMs(plan)).toBeLessThan(OTHERS_FIRST_MS);
});

test('also near the end the lane that comes back has it, if the other would have it for long', () => {
  const plan = makePlan(aNight(10, { opensAtMs: NOW_MS + 8 * HOUR_MS }), solve);
  expect(onOther(plan)).toBeCloseTo(0, 3);
  expect(leftMs(plan)).toBeLessThan(OTHERS_FIRST_MS);
});

test('nothing is paid for because a free lane is left to others for some minutes, unless the deadline is as near', () => {
  const paysBy = (deadlineAtMs: number): number => {
    const pays = { pays: { deadlineAtMs, leftNanoDollars: 1e9 } };
    const night = aNight(10, { opensAtMs: NOW_MS + 20 * HOUR_MS }, pays);
    return makePlan(night, solve).payments.reduce((sum, { requests }) => sum + requests, 0);
  };
  expect(paysBy(NOW_MS + HOUR_MS)).toBe(0);
  expect(paysBy(NOW_MS + OTHERS_FIRST_MS)).toBe(1);
});
