/** Plans of nights with many open batches, each with a deadline of its own. */
import { describe, expect, it } from 'vitest';
import { makePlan } from '../../../src/core/plan/plan.ts';
import type { Situation } from '../../../src/core/plan/situation.ts';
import { NOW_MS } from '../../app/fakes.ts';
import { aCell, aPlanLane, aPlanLimit, aRoute, aSituation, HOUR_MS, MINUTE_MS, solver } from './a-night.ts';

const LANES = ['alpha/tokens', 'beta/calls'];

/** Of every 51 lines one is too large for the lane that takes most of them. */
const batches = (count: number, deadlineOf: (index: number) => number | undefined): Situation => {
  const routes = Array.from({ length: count }, (_, id) => {
    const expiresAtMs = deadlineOf(id);
    return aRoute({ id, batchId: id, laneIds: LANES, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) });
  });
  return aSituation({
    routes,
    cells: routes.flatMap(({ id: routeId }) => [
      aCell(25, 256, { routeId }),
      aCell(25, 1_200, { routeId }),
      aCell(1, 20_000, { routeId }),
    ]),
    lanes: LANES.map((id) => aPlanLane(id)),
    providers: LANES.map((id) => ({ id: id.split('/')[0] ?? '', concurrency: null })),
    limits: [
      aPlanLimit('alpha/tokens', 8_000, { kind: 'refill', perMs: MINUTE_MS }, { metric: 'tokens' }),
      aPlanLimit('beta/calls', 5, { kind: 'refill', perMs: MINUTE_MS }),
    ],
  });
};

const lengthMs = (situation: Situation): number =>
  (makePlan(situation, solver).finishAtMs ?? Infinity) - NOW_MS;

describe('A plan of many batches', () => {
  it.each([30, 61, 300])(
    'takes as long for each of %i with deadlines of their own as for one of ten',
    (count) => {
      const eachMs = lengthMs(batches(10, () => undefined)) / 10;
      const night = batches(count, (index) => NOW_MS + 48 * HOUR_MS + index * 1_000);
      expect(lengthMs(night) / count / eachMs).toBeCloseTo(1, 1);
    },
  );

  it('gives every lane its share, whichever of them may take the largest', () => {
    const plan = makePlan(
      batches(61, (index) => NOW_MS + 24 * HOUR_MS + index * 1_000),
      solver,
    );
    const planned = plan.lanes.map(({ shares }) =>
      shares.reduce((sum, { now, later }) => sum + now + later, 0),
    );
    expect(Math.min(...planned)).toBeGreaterThan(500);
  });

  it('does what expires soon in time, although hundreds expire later', () => {
    const soonMs = 20 * MINUTE_MS;
    const night = batches(300, (index) => NOW_MS + (index < 3 ? soonMs : 8 * HOUR_MS + index * MINUTE_MS));
    const plan = makePlan(night, solver);
    const soon = plan.lanes
      .flatMap(({ shares }) => shares)
      .filter(({ sizeClass }) => sizeClass.expiresAtMs === NOW_MS + soonMs);
    expect(soon.reduce((sum, { now, later }) => sum + now + later, 0)).toBeCloseTo(3 * 51, 0);
  });
});
