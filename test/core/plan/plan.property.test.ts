import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import { expectedUse } from '../../../src/core/plan/demand.ts';
import { countLeft } from '../../../src/core/plan/by-deadline.ts';
import { makePlan, type Plan } from '../../../src/core/plan/plan.ts';
import { CLOSEST_MS, hasResets, resetsOf, segmentsOf } from '../../../src/core/plan/segments.ts';
import type { PlanLane, PlanLimit, Situation } from '../../../src/core/plan/situation.ts';
import type { SizeClass } from '../../../src/core/plan/size-classes.ts';
import { SHORT_WINDOW_MS, windowMs } from '../../../src/core/quota/window.ts';
import { anySituation } from './any-situation.ts';
import { mostBy } from './most-a-window-gives.ts';

const solve = await openSolver();
/** A plan looks at so many stretches of the night, the first ones; those that need more are rough. */
const isWithinSight = (situation: Situation): boolean => segmentsOf(situation).length < 10;

const RUNS = { numRuns: Number(process.env['RUNS'] ?? 60) };
const LONG = { timeout: 120_000 };
/** The second solution may be so much longer than the first, and the solver is not exact. */
const TOLERANCE = 0.005;
/** A month counts as 30 days, and may have 31. */
const MONTHS = 1 / 30;
/** Parts of a request, or of a limit, that come of the solver's own tolerance. */
const ROUNDING = 1e-3;

/** What a plan takes of a limit: right away, and in all. */
const takenOf = (plan: Plan, limit: PlanLimit, lanes: readonly PlanLane[]) => {
  const uses = lanes
    .filter(({ id, providerId }) => limit.scope === id || limit.scope === providerId)
    .flatMap((lane) =>
      (plan.lanes.find(({ laneId }) => laneId === lane.id)?.shares ?? []).map((share) => {
        const use = expectedUse(limit, lane, share.sizeClass);
        return { now: share.now * use, all: (share.now + share.later) * use };
      }),
    );
  return {
    now: uses.reduce((sum, use) => sum + use.now, 0),
    all: uses.reduce((sum, use) => sum + use.all, 0),
  };
};

/** Resets this close to now are taken for over. */
const nearlyThere = (atMs: number): number => atMs + CLOSEST_MS;

/**
 * What a plan may take by then. Between two cuts it takes everything to flow, so it may be ahead by what comes back of a
 * rolling window before the next cut. Short windows count as a rate, and so does what comes after the resets and cuts that
 * are looked ahead to: of those it may be one window ahead.
 */
const mostAPlanMayTake = (
  limit: PlanLimit,
  untilMs: number,
  { nowMs }: Situation,
  { cutsAtMs }: Plan,
): number => {
  const endMs = cutsAtMs.find((atMs) => atMs >= untilMs) ?? Infinity;
  const lastResetMs = hasResets(limit) ? (resetsOf(limit, nowMs).at(-1) ?? Infinity) : Infinity;
  const isRate = windowMs(limit.window) <= SHORT_WINDOW_MS || endMs === Infinity || untilMs > lastResetMs;
  if (isRate) return mostBy(limit, nowMs, nearlyThere(untilMs + windowMs(limit.window)));
  return mostBy(limit, nowMs, limit.window.kind === 'rolling' ? endMs - 1 : nearlyThere(untilMs));
};

test('a plan takes no more of any limit than the limit can give by the end of the plan', LONG, () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const plan = makePlan(situation, solve);
      const { nowMs, limits, lanes } = situation;
      for (const limit of limits) {
        const most = mostAPlanMayTake(limit, plan.finishAtMs ?? nowMs, situation, plan);
        expect(takenOf(plan, limit, lanes).all).toBeLessThanOrEqual(
          most * (1 + TOLERANCE + MONTHS) + limit.amount * ROUNDING,
        );
      }
    }),
    RUNS,
  );
});

test('what is planned before anything changes fits what every limit gives until then', LONG, () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const plan = makePlan(situation, solve);
      const { limits, lanes } = situation;
      const endMs = Math.min(plan.cutsAtMs[0] ?? Infinity, plan.finishAtMs ?? situation.nowMs);
      for (const limit of limits) {
        const most = mostAPlanMayTake(limit, endMs, situation, plan);
        expect(takenOf(plan, limit, lanes).now).toBeLessThanOrEqual(
          most * (1 + TOLERANCE + MONTHS) + limit.amount * ROUNDING,
        );
      }
    }),
    RUNS,
  );
});

const requestsOf = (classes: readonly SizeClass[]): number =>
  classes.reduce((sum, { count }) => sum + count, 0);

const undoneOf = ({ undone }: Plan): number => countLeft(undone);

test(
  'every request is planned, left undone, or fits no lane, and nothing is negative or no number',
  LONG,
  () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const plan = makePlan(situation, solve);
        const shares = plan.lanes.flatMap((lane) => lane.shares);
        const planned = shares.reduce((sum, { now, later }) => sum + now + later, 0);
        const all = situation.cells.reduce((sum, { count }) => sum + count, 0);
        expect(Math.abs(planned + undoneOf(plan) + requestsOf(plan.unplannable) - all)).toBeLessThanOrEqual(
          undoneOf(plan) < ROUNDING ? ROUNDING * all : TOLERANCE * all,
        );
        for (const { now, later, worthMs, lossMs } of shares)
          for (const figure of [now, later, worthMs, lossMs]) expect(figure).toBeGreaterThanOrEqual(-1e-6);
        for (const { count } of plan.undone) expect(count).toBeGreaterThan(0);
        expect(plan.finishAtMs ?? situation.nowMs).toBeGreaterThanOrEqual(situation.nowMs);
      }),
      RUNS,
    );
  },
);

/** Whether every request of the class may ever run on the lane, by the largest of each of its cells, give or take some rounding. */
const mayRun = (
  situation: Situation,
  lane: PlanLane,
  { cells, outputIsAsked }: SizeClass,
  rounding = 1,
): boolean =>
  cells.every((cell) => {
    const outputTokens = Math.min(cell.capTokens, lane.maxOutputTokens);
    const promptTokens = cell.largestTokens * Math.min(1, lane.tokenRatioAtMost);
    const cost = lane.unitCost ?? { input: 0, output: 0 };
    const takes = {
      requests: 1,
      tokens: promptTokens + outputTokens,
      inputTokens: promptTokens,
      outputTokens,
      units: promptTokens * cost.input + outputTokens * cost.output,
    };
    const route = situation.routes.find(({ id }) => id === cell.routeId);
    return (
      route?.laneIds.includes(lane.id) === true &&
      lane.slots >= 1 &&
      lane.opensAtMs < Infinity &&
      !(outputIsAsked && cell.capTokens > lane.maxOutputTokens) &&
      promptTokens + outputTokens <= lane.contextTokens &&
      situation.limits
        .filter(({ scope }) => scope === lane.id || scope === lane.providerId)
        .every(({ metric, amount }) => takes[metric] <= amount + rounding)
    );
  });

test('nothing is planned on a lane that may not have it, or that is closed for now', LONG, () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const plan = makePlan(situation, solve);
      for (const { laneId, shares } of plan.lanes) {
        const lane = situation.lanes.find(({ id }) => id === laneId);
        if (lane === undefined) throw new Error(`Expected a lane of the situation, got ${laneId}.`);
        for (const { sizeClass, now, later } of shares.filter((share) => share.now + share.later > 1e-6)) {
          expect(mayRun(situation, lane, sizeClass)).toBe(true);
          const isClosed = lane.opensAtMs > nearlyThere(situation.nowMs);
          expect(isClosed ? now : 0).toBeLessThanOrEqual(1e-6);
          expect(now + later).toBeLessThanOrEqual(sizeClass.count * (1 + 1e-6) + 1e-4);
        }
      }
      for (const sizeClass of plan.unplannable)
        for (const lane of situation.lanes)
          expect(sizeClass.cells.length > 1 || !mayRun(situation, lane, sizeClass, -1)).toBe(true);
    }),
    RUNS,
  );
});

/** Cuts that are this close become one, as a share of how far off they are; a plan is no more exact than that. */
const CUTS = 0.02;

/** Beyond that most windows count as a rate, and ends are rough. */
const LONGEST_NIGHT_MS = 86_400_000;

/** What comes of a plan, to be compared with another. A request left undone is worse than any delay. */
const outcomeOf = (plan: Plan) => ({
  undone: undoneOf(plan) + requestsOf(plan.unplannable),
  lengthMs: plan.finishAtMs === null ? Infinity : plan.finishAtMs - plan.madeAtMs,
});

/** By how much one plan is worse than another, beyond what plans are exact to: 0 of everything where it is not. */
const worseBy = (one: Plan, other: Plan) => {
  const [mine, theirs] = [outcomeOf(one), outcomeOf(other)];
  const undone = mine.undone - theirs.undone * (1 + CUTS) - 0.01;
  const isComparable = theirs.undone < ROUNDING && theirs.lengthMs < LONGEST_NIGHT_MS;
  const lengthMs = isComparable ? mine.lengthMs - theirs.lengthMs * (1 + CUTS) - CLOSEST_MS : 0;
  return { undone: Math.max(0, undone), lengthMs: Math.max(0, lengthMs) };
};
const NO_WORSE = { undone: 0, lengthMs: 0 };

test('with twice the quota a plan is done no later', LONG, () => {
  fc.assert(
    fc.property(anySituation, fc.nat(), (situation, place) => {
      const { limits } = situation;
      fc.pre(limits.length > 0 && isWithinSight(situation));
      const more = limits.map((limit, index) =>
        index === place % limits.length ? { ...limit, amount: limit.amount * 2 } : limit,
      );
      const withMore = makePlan({ ...situation, limits: more }, solve);
      expect(worseBy(withMore, makePlan(situation, solve))).toEqual(NO_WORSE);
    }),
    RUNS,
  );
});

test('with one lane more a plan is done no later', LONG, () => {
  fc.assert(
    fc.property(anySituation, fc.nat(), (situation, place) => {
      fc.pre(isWithinSight(situation));
      const gone = situation.lanes[place % situation.lanes.length]?.id;
      const fewer = situation.lanes.filter(({ id }) => id !== gone);
      const limits = situation.limits.filter(({ scope }) => scope !== gone);
      const without = makePlan({ ...situation, lanes: fewer, limits }, solve);
      const withIt = makePlan(situation, solve);
      expect(worseBy(withIt, without)).toEqual(NO_WORSE);
    }),
    RUNS,
  );
});
