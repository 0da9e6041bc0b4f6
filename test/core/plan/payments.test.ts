import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import type { Price } from '../../../src/core/model.ts';
import type { Solve } from '../../../src/core/plan/linear-programme.ts';
import { forecastsOf } from '../../../src/core/plan/forecast.ts';
import { paidWork } from '../../../src/core/plan/payments.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import type { PlanRoute, Situation } from '../../../src/core/plan/situation.ts';
import { NO_PROGRESS, wishList } from '../../../src/core/plan/wish-list.ts';
import { aCell, aPlanLane, aPlanLimit, aSituation, NOW_MS } from './a-situation.ts';

const MINUTE_MS = 60_000;
const CHEAP: Price = {
  inputNanoDollarsPerMillion: 50_000_000,
  outputNanoDollarsPerMillion: 400_000_000,
  requestNanoDollars: 0,
};
const DEAR: Price = { ...CHEAP, inputNanoDollarsPerMillion: 5_000_000_000 };

const DOLLAR = 1_000_000_000;

let solve: Solve;
beforeAll(async () => {
  solve = await openSolver();
});

/** Thirty requests a minute cost nothing; two lanes take any number for money. */
const night = (count: number, deadlineMinutes: number | null, changes: Partial<Situation> = {}): Situation =>
  aSituation({
    cells: [aCell(28, count)],
    routes: [
      {
        id: 1,
        batchId: 1,
        priority: 0,
        laneIds: ['alpha/small', 'dear/model', 'cheap/model'],
        pays: {
          deadlineAtMs: deadlineMinutes === null ? null : NOW_MS + deadlineMinutes * MINUTE_MS,
          leftNanoDollars: 100 * DOLLAR,
        },
      },
    ],
    lanes: [
      aPlanLane('alpha/small'),
      { ...aPlanLane('dear/model'), price: DEAR },
      { ...aPlanLane('cheap/model'), price: CHEAP },
    ],
    providers: ['alpha', 'dear', 'cheap'].map((id) => ({ id, concurrency: null })),
    limits: [aPlanLimit('alpha/small')],
    ...changes,
  });

/** A hundred requests, while nobody makes calls on the lane that costs nothing. */
const unserved = (deadlineMinutes: number | null): Situation => {
  const situation = night(100, deadlineMinutes);
  const lanes = situation.lanes.map((lane) =>
    lane.price === undefined ? { ...lane, slots: 0, awaySlots: 4 } : lane,
  );
  return { ...situation, lanes };
};

const paidRequests = (situation: Situation): number | undefined =>
  paidWork(situation, solve).payments.find(({ batchId }) => batchId === 1)?.requests;

describe('what a batch with a budget pays for', () => {
  it('is nothing where lanes that cost nothing are done by the deadline', () => {
    expect(paidRequests(night(1_000, 60))).toBe(0);
  });

  it('is exactly what they leave undone by then', () => {
    // Thirty at once, and then thirty a minute (a second later for the way) for ten minutes.
    const paid = paidRequests(night(1_000, 10)) ?? 0;
    expect(paid).toBeGreaterThanOrEqual(1_000 - 30 * 11);
    expect(paid).toBeLessThan(1_000 - 30 * 9);
    expect(paidRequests(night(1_000, -1))).toBe(1_000);
  });

  it('is nothing without a deadline, but what no lane can ever do that costs nothing', () => {
    expect(paidRequests(night(1_000, null))).toBe(0);
    const tooLong = night(0, null, { cells: [aCell(28, 1_000), aCell(52, 3)] });
    const lanes = tooLong.lanes.map((lane) => ({
      ...lane,
      contextTokens: lane.price === undefined ? 8_192 : 1_000_000,
    }));
    expect(paidRequests({ ...tooLong, lanes })).toBe(3);
  });

  it('goes to the cheapest lane that takes it', () => {
    const { lanes } = paidWork(night(1_000, 10), solve);
    const placed = new Map(lanes.map(({ laneId, shares }) => [laneId, shares.length]));
    expect(placed).toEqual(
      new Map([
        ['dear/model', 0],
        ['cheap/model', 1],
      ]),
    );
  });

  it('goes on to the next cheapest as far as that one cannot do it in time either', () => {
    const placed = (changes: Partial<Situation>) => {
      const { lanes } = paidWork(night(1_000, 10, changes), solve);
      return new Map(
        lanes.map(({ laneId, shares }) => [
          laneId,
          Math.round(shares.reduce((sum, { now }) => sum + now, 0)),
        ]),
      );
    };
    const { lanes, limits } = night(1_000, 10);
    const all = placed({}).get('cheap/model') ?? 0;
    const slow = placed({ limits: [...limits, aPlanLimit('cheap/model', { amount: 10 })] });
    expect(slow.get('cheap/model')).toBeGreaterThan(10 * 9);
    expect(slow.get('cheap/model')).toBeLessThan(10 * 12);
    expect((slow.get('cheap/model') ?? 0) + (slow.get('dear/model') ?? 0)).toBe(all);
    const tomorrow = placed({
      lanes: lanes.map((lane) =>
        lane.id === 'cheap/model' ? { ...lane, opensAtMs: NOW_MS + 600 * MINUTE_MS } : lane,
      ),
    });
    expect(tomorrow.get('dear/model')).toBe(all);
  });

  it('is left to the cheapest lane where none can do it in time', () => {
    const { limits } = night(1_000, 10);
    const slow = ['cheap/model', 'dear/model'].map((id) => aPlanLimit(id, { amount: 1 }));
    const { lanes, payments } = paidWork(night(1_000, 10, { limits: [...limits, ...slow] }), solve);
    const cheap = lanes.find(({ laneId }) => laneId === 'cheap/model');
    const wanted = cheap?.shares.reduce((sum, { now }) => sum + now, 0) ?? 0;
    expect(wanted).toBeGreaterThan((payments[0]?.requests ?? 0) - 30);
  });

  it('is wished for on that lane, while the plan of the others is made as if nothing could be paid', () => {
    const plan = makePlan(night(1_000, 10), solve);
    const cheap = plan.lanes.find(({ laneId }) => laneId === 'cheap/model');
    expect(cheap === undefined ? [] : wishList(cheap, NO_PROGRESS)).not.toEqual([]);
    expect(plan.finishAtMs).toBe(makePlan(night(1_000, null), solve).finishAtMs);
    expect(plan.payments).toEqual([
      { batchId: 1, requests: paidRequests(night(1_000, 10)), isCovered: true },
    ]);
  });

  it('is no reason to say that nobody can tell the end, unless the budget is too little', () => {
    const tooLong = [aCell(28, 1_000), aCell(52, 3)];
    const finishWith = (leftNanoDollars: number): number | null | undefined => {
      const { routes, lanes, ...others } = night(0, 10, { cells: tooLong });
      const situation = {
        ...others,
        routes: routes.map((route) => ({
          ...route,
          pays: { deadlineAtMs: NOW_MS + 10 * MINUTE_MS, leftNanoDollars },
        })),
        lanes: lanes.map((lane) => (lane.price === undefined ? { ...lane, contextTokens: 8_192 } : lane)),
      };
      const plan = makePlan(situation, solve);
      return forecastsOf({ situation, plans: new Map([[1, plan]]), before: new Map() }).get(1)?.finishAtMs;
    };
    expect(finishWith(DOLLAR)).toBeGreaterThan(NOW_MS + 10 * MINUTE_MS);
    expect(finishWith(1)).toBeNull();
  });

  it('is nothing while a lane that costs nothing is only away, until the deadline is near', () => {
    expect(paidRequests(unserved(null))).toBe(0);
    expect(paidRequests(unserved(60))).toBe(0);
    expect(paidRequests(unserved(4))).toBe(100);
  });

  it('is left undone where the budget is too little for it, and then as many as can are done for nothing', () => {
    const cells = [aCell(20, 400), aCell(34, 400)];
    const limits = [aPlanLimit('alpha/small', { metric: 'tokens', amount: 6_000 })];
    const rich = night(0, 30, { cells, limits });
    const withRoute = (changes: Partial<PlanRoute>): Situation => ({
      ...rich,
      routes: rich.routes.map(({ pays: _pays, ...route }) => ({ ...route, ...changes })),
    });
    const deadlineAtMs = NOW_MS + 30 * MINUTE_MS;
    const poor = withRoute({ pays: { deadlineAtMs, leftNanoDollars: 1_000 } });
    const withoutBudget = withRoute({ expiresAtMs: deadlineAtMs });
    expect(paidWork(rich, solve).payments).toMatchObject([{ isCovered: true }]);
    expect(paidWork(poor, solve).payments).toMatchObject([{ isCovered: false }]);
    const freeShares = (situation: Situation) =>
      makePlan(situation, solve)
        .lanes.find(({ laneId }) => laneId === 'alpha/small')
        ?.shares.map(({ now, later }) => Math.round(now + later));
    expect(freeShares(poor)).toEqual(freeShares(withoutBudget));
    expect(freeShares(poor)).not.toEqual(freeShares(rich));
  });

  it('is as many as a budget covers that is too little for all, the cheapest first', () => {
    const cells = [aCell(20, 100), aCell(44, 100)];
    const { routes, lanes, ...others } = night(0, 1, { cells });
    const paid = (leftNanoDollars: number): ReadonlyMap<number, number> => {
      const situation = {
        ...others,
        routes: routes.map((route) => ({
          ...route,
          laneIds: ['cheap/model'],
          pays: { deadlineAtMs: NOW_MS + MINUTE_MS, leftNanoDollars },
        })),
        lanes,
      };
      const shares = paidWork(situation, solve).lanes.flatMap((lane) => lane.shares);
      return new Map(shares.map(({ sizeClass, now }) => [sizeClass.promptTokens, now]));
    };
    const [[small, count] = [0, 0], ...large] = paid(0.03 * DOLLAR);
    expect(small).toBeLessThan(200);
    expect(count).toBe(100);
    expect(large.map(([, many]) => Math.round(many))).toEqual([
      expect.toSatisfy((many) => many > 2 && many < 50),
    ]);
    expect([...paid(0.001 * DOLLAR).values()].map(Math.round)).toEqual([
      expect.toSatisfy((many) => many > 2 && many < 50),
    ]);
    expect([...paid(DOLLAR).values()]).toEqual([100, 100]);
    expect([...paid(0).values()]).toEqual([1]);
  });

  it('is no more because refusals have lowered a limit that comes round within minutes', () => {
    const lowered = { amount: 3, declared: 30 };
    expect(paidRequests(night(1_000, 60, { limits: [aPlanLimit('alpha/small', lowered)] }))).toBe(0);
    const tokens = { metric: 'tokens', amount: 60, declared: 100_000 } as const;
    expect(paidRequests(night(10, null, { limits: [aPlanLimit('alpha/small', tokens)] }))).toBe(0);
    const day = { window: { kind: 'rolling', perMs: 1_440 * MINUTE_MS } } as const;
    const ofDay = night(1_000, 60, { limits: [aPlanLimit('alpha/small', { ...day, ...lowered })] });
    expect(paidRequests(ofDay)).toBeGreaterThan(990);
  });

  it('is on no other lane than those where it is planned', () => {
    const { lanes, ...others } = night(20, null);
    const onlyPaid = { ...others, lanes: lanes.filter(({ price }) => price !== undefined) };
    const plan = makePlan(onlyPaid, solve);
    expect(plan.routeIds).toEqual([1]);
    const shares = new Map(plan.lanes.map((lane) => [lane.laneId, lane.shares.length]));
    expect(shares).toEqual(
      new Map([
        ['dear/model', 0],
        ['cheap/model', 1],
      ]),
    );
  });

  it('is its fair part of what equal batches leave, whichever came first', () => {
    const own = night(500, 20);
    const other = { id: 2, batchId: 2, priority: 0, laneIds: ['alpha/small'] };
    const cells = [...own.cells, aCell(28, 500, { routeId: 2 })];
    const orders = [
      { cells, routes: [...own.routes, other] },
      { cells: cells.toReversed(), routes: [other, ...own.routes] },
    ];
    // Of a thousand some 630 are done for nothing, half of them its own.
    for (const order of orders) {
      expect(paidRequests({ ...own, ...order })).toBeGreaterThan(175);
      expect(paidRequests({ ...own, ...order })).toBeLessThan(200);
    }
  });

  it('is nothing for a batch without a budget', () => {
    const situation = night(1_000, 10);
    const routes = situation.routes.map(({ pays: _pays, ...route }) => route);
    expect(paidWork({ ...situation, routes }, solve).payments).toEqual([]);
  });

  it('is never more than waits, and no less the earlier the deadline is', () => {
    fc.assert(
      fc.property(
        fc.nat(2_000),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        (count, a, b) => {
          const [early, late] = [Math.min(a, b), Math.max(a, b)];
          const [more, less] = [
            paidRequests(night(count, early)) ?? 0,
            paidRequests(night(count, late)) ?? 0,
          ];
          expect(more).toBeLessThanOrEqual(count);
          expect(less).toBeLessThanOrEqual(more);
        },
      ),
      { numRuns: 40 },
    );
  });
});
