import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LanePlan, Share } from '../../../src/core/plan/plan.ts';
import { type SizeClass, sizeClasses } from '../../../src/core/plan/size-classes.ts';
import {
  type LaneProgress,
  NO_PROGRESS,
  progressAfter,
  progressIntoNextPlan,
  wishList,
} from '../../../src/core/plan/wish-list.ts';
import { aCell, aPlanLimit, aSituation } from './a-situation.ts';
import { anyCells } from './any-situation.ts';

const ROUTE = { id: 1, batchId: 1, priority: 0, laneIds: ['p0/m0'] };
/** Less of a request than this is not waited for. */
const LEAST = 0.5;

const tenths = (max: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: max * 10 }).map((whole) => whole / 10);

const anyShare = (sizeClass: SizeClass): fc.Arbitrary<Share> =>
  fc.record({
    sizeClass: fc.constant(sizeClass),
    now: fc.oneof(fc.constant(0), tenths(200)),
    later: fc.oneof(fc.constant(0), tenths(200)),
    worthMs: tenths(5_000),
    lossMs: fc.oneof(fc.constant(0), tenths(5_000)),
    goesFirst: fc.constant(false),
  });

const anyLanePlan: fc.Arbitrary<LanePlan> = anyCells([1]).chain((cells) =>
  fc
    .tuple(...sizeClasses(aSituation({ cells, routes: [ROUTE], lanes: [], limits: [] })).map(anyShare))
    .map((shares) => ({ laneId: 'p0/m0', shares, binding: null, most: Infinity })),
);

/** Some of what was planned has been granted. */
const anyTaken = ({ shares }: LanePlan): fc.Arbitrary<LaneProgress['taken']> =>
  fc
    .array(fc.integer({ min: 0, max: 120 }), { minLength: shares.length, maxLength: shares.length })
    .map(
      (counts) =>
        new Map(
          shares.map(({ sizeClass, now }, index) => [
            sizeClass,
            Math.round((now * (counts[index] ?? 0)) / 100),
          ]),
        ),
    );

const anyList = anyLanePlan.chain((plan) => fc.record({ plan: fc.constant(plan), taken: anyTaken(plan) }));

test('all that is planned here and not taken yet is wished for, every cell of it, before anything else', () => {
  fc.assert(
    fc.property(anyList, ({ plan, taken }) => {
      const wishes = wishList(plan, { ...NO_PROGRESS, taken });
      for (const { sizeClass, now } of plan.shares) {
        if (now - (taken.get(sizeClass) ?? 0) < LEAST) continue;
        for (const cell of sizeClass.cells)
          expect(
            wishes.some((wish) => wish.isPlanned && wish.cell === cell && wish.atMost >= sizeClass.count),
          ).toBe(true);
      }
      const firstOther = wishes.findIndex(({ isPlanned }) => !isPlanned);
      const others = firstOther < 0 ? [] : wishes.slice(firstOther);
      expect(others.some(({ isPlanned }) => isPlanned)).toBe(false);
    }),
  );
});

test('what goes first is wished for before what else is planned, as often as it is planned', () => {
  const anyOrder = anyLanePlan.chain((plan) =>
    fc.array(fc.boolean(), { minLength: plan.shares.length, maxLength: plan.shares.length }).map((first) => ({
      ...plan,
      shares: plan.shares.map((share, index) => ({ ...share, goesFirst: first[index] ?? false })),
    })),
  );
  fc.assert(
    fc.property(anyOrder, (plan) => {
      const first = plan.shares.filter(({ goesFirst, now }) => goesFirst && now >= LEAST);
      const times = first.reduce((sum, { now }) => sum + Math.round(now), 0);
      fc.pre(times < 300);
      const { taken } = grantBy(plan, times, NO_PROGRESS);
      for (const { sizeClass, now } of first) expect(taken.get(sizeClass)).toBe(Math.round(now));
    }),
  );
});

test('a lane with nothing planned gets all that loses little or is placed here later, and nothing that is better elsewhere', () => {
  fc.assert(
    fc.property(anyLanePlan, (plan) => {
      const idle = { ...plan, shares: plan.shares.map((share) => ({ ...share, now: 0 })) };
      const wished = new Set(wishList(idle, NO_PROGRESS).map(({ sizeClass }) => sizeClass));
      for (const { sizeClass, later, lossMs, worthMs } of idle.shares)
        expect(wished.has(sizeClass)).toBe(later > 0 || lossMs <= worthMs / 10);
    }),
  );
});

test('a lane that is to take so many at most wishes for its first wish, and for no more than are left of them', () => {
  fc.assert(
    fc.property(anyList, fc.integer({ min: 0, max: 3 }), ({ plan, taken }, more) => {
      const progress = { ...NO_PROGRESS, taken };
      const before = taken.values().reduce((sum, count) => sum + count, 0);
      const [first] = wishList(plan, progress);
      const bounded = wishList({ ...plan, most: before + more }, progress);
      expect(bounded).toEqual(
        more === 0 || first === undefined ? [] : [{ ...first, atMost: Math.min(first.atMost, more) }],
      );
    }),
  );
});

/** Grants so many requests by the list, wish by wish; what was granted of each class. */
const grantBy = (plan: LanePlan, grants: number, before: LaneProgress) => {
  let progress = before;
  for (let grant = 0; grant < grants; grant += 1) {
    const [first] = wishList(plan, progress);
    if (first === undefined || !first.isPlanned) break;
    progress = progressAfter(plan, progress, first.sizeClass);
  }
  return progress;
};

test('what is granted by the list, wish by wish, stays in proportion to what is planned', () => {
  fc.assert(
    fc.property(anyLanePlan, fc.integer({ min: 1, max: 60 }), (plan, grants) => {
      const { taken } = grantBy(plan, grants, NO_PROGRESS);
      const planned = plan.shares.filter(({ now }) => now >= LEAST);
      const total = planned.reduce((sum, { now }) => sum + now, 0);
      const granted = taken.values().reduce((sum, count) => sum + count, 0);
      for (const { sizeClass, now } of planned)
        expect(Math.abs((taken.get(sizeClass) ?? 0) - (granted * now) / total)).toBeLessThanOrEqual(
          planned.length,
        );
    }),
  );
});

test('a class of which little is planned has its turn, however often the plan is made anew before', () => {
  fc.assert(
    fc.property(anyLanePlan, fc.integer({ min: 1, max: 5 }), (plan, grantsPerPlan) => {
      const planned = plan.shares.filter(({ now }) => now >= LEAST);
      const total = planned.reduce((sum, { now }) => sum + now, 0);
      fc.pre(planned.length > 0 && total < 300);
      const served = new Set<SizeClass>();
      let progress = NO_PROGRESS;
      for (let grants = 0; grants < total * 2 + planned.length; grants += grantsPerPlan) {
        progress = grantBy(plan, grantsPerPlan, progressIntoNextPlan(progress));
        for (const sizeClass of progress.taken.keys()) served.add(sizeClass);
      }
      for (const { sizeClass } of planned) expect(served.has(sizeClass)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a lane with nothing planned goes on with what is planned for its siblings, in that proportion, and with nothing else that they have', () => {
  fc.assert(
    fc.property(anyLanePlan, fc.integer({ min: 1, max: 40 }), (plan, grants) => {
      const theirs = plan.shares.filter(({ now }) => now >= LEAST);
      const total = theirs.reduce((sum, { now }) => sum + now, 0);
      fc.pre(total > grants && plan.shares.every(({ worthMs }) => worthMs > 0));
      const idle = {
        ...plan,
        shares: plan.shares.map((share) => ({
          ...share,
          now: 0,
          later: 0,
          ofSiblings: theirs.includes(share) ? share.now : 0,
          lossMs: share.worthMs,
        })),
      };
      let progress = NO_PROGRESS;
      for (let grant = 0; grant < grants; grant += 1) {
        const wishes = wishList(idle, progress);
        expect(wishes.every(({ isPlanned }) => !isPlanned)).toBe(true);
        const [first] = wishes;
        if (first !== undefined) progress = progressAfter(idle, progress, first.sizeClass);
      }
      expect(progress.taken.size).toBeLessThanOrEqual(theirs.length);
      for (const { sizeClass, now } of theirs)
        expect(Math.abs((progress.taken.get(sizeClass) ?? 0) - (grants * now) / total)).toBeLessThanOrEqual(
          theirs.length,
        );
    }),
  );
});

test('with nothing left for now a lane goes on with what is planned here later, in that proportion', () => {
  fc.assert(
    fc.property(anyLanePlan, fc.integer({ min: 1, max: 40 }), (plan, grants) => {
      const later = plan.shares.filter((share) => share.later > 0);
      const total = later.reduce((sum, share) => sum + share.later, 0);
      fc.pre(later.every((share) => share.later >= LEAST) && total > grants);
      const idle = { ...plan, shares: plan.shares.map((share) => ({ ...share, now: 0 })) };
      let progress = NO_PROGRESS;
      for (let grant = 0; grant < grants; grant += 1) {
        const [first] = wishList(idle, progress);
        if (first !== undefined) progress = progressAfter(idle, progress, first.sizeClass);
      }
      for (const { sizeClass, later: amount } of later)
        expect(
          Math.abs((progress.taken.get(sizeClass) ?? 0) - (grants * amount) / total),
        ).toBeLessThanOrEqual(later.length);
    }),
  );
});

const meanOf = (some: readonly number[]): number => some.reduce((sum, size) => sum + size, 0) / some.length;

test('what a lane that is short of requests takes of a class is as large as the class is on average, at any time and from one plan to the next', () => {
  const anySizes = fc.noBias(fc.array(fc.integer({ min: 511, max: 811 }), { minLength: 60, maxLength: 120 }));
  fc.assert(
    fc.property(anySizes, fc.integer({ min: 1, max: 10 }), (sizes, grantsPerPlan) => {
      const backlog = sizes.toSorted((a, b) => a - b);
      const taken: number[] = [];
      let progress = NO_PROGRESS;
      while (taken.length < sizes.length / 2) {
        const plan = planOfAll(backlog);
        progress = progressIntoNextPlan(progress);
        for (let grant = 0; grant < grantsPerPlan; grant += 1) {
          const { promptTokens, sizeClass } = takeBy(wishList(plan, progress), backlog);
          taken.push(promptTokens);
          progress = progressAfter(plan, progress, sizeClass);
          if (taken.length < 12) continue;
          // Of so many drawn by chance the mean would be off by as much once in a hundred times.
          expect(Math.abs(meanOf(taken) - meanOf(sizes))).toBeLessThan(
            2.6 * Math.sqrt(300 ** 2 / 12 / taken.length),
          );
        }
      }
    }),
    { numRuns: 200, endOnFailure: true },
  );
});

test('a lane that is short of tokens asks for the largest of a class first', () => {
  const plan = { ...planOfAll([520, 600, 640, 700, 800]), binding: aPlanLimit('p0', { metric: 'tokens' }) };
  const backlog = [520, 600, 640, 700, 800];
  let progress = NO_PROGRESS;
  const taken = Array.from({ length: 5 }, () => {
    const { promptTokens, sizeClass } = takeBy(wishList(plan, progress), backlog);
    progress = progressAfter(plan, progress, sizeClass);
    return promptTokens;
  });
  expect(taken).toEqual([800, 700, 640, 600, 520]);
});

/** All of these on one lane, as one class: two bands are put together where there are two. */
const planOfAll = (backlog: readonly number[]): LanePlan => {
  const cells = [27, 28].flatMap((band) => {
    const { fromTokens, toTokens } = aCell(band, 1);
    const own = backlog.filter((size) => size >= fromTokens && size <= toTokens);
    const promptTokens = own.reduce((sum, size) => sum + size, 0);
    return own.length === 0
      ? []
      : [aCell(band, own.length, { promptTokens, largestTokens: own.at(-1) ?? 0 })];
  });
  const [one] = sizeClasses(aSituation({ cells: [aCell(27, 1)], routes: [ROUTE], lanes: [], limits: [] }));
  if (one === undefined) throw new Error('Expected a class, got none.');
  const promptTokens = backlog.reduce((sum, size) => sum + size, 0) / backlog.length;
  const sizeClass = { ...one, cells, count: backlog.length, promptTokens };
  const share = { sizeClass, now: backlog.length, later: 0, worthMs: 1, lossMs: 0, goesFirst: false };
  return { laneId: 'p0/m0', shares: [share], binding: aPlanLimit('p0'), most: Infinity };
};

/** The record's way: of the first wish for which there is something the largest. */
const takeBy = (wishes: ReturnType<typeof wishList>, backlog: number[]) => {
  for (const { sizeClass, cell } of wishes) {
    const place = backlog.findLastIndex((size) => size >= cell.fromTokens && size <= cell.toTokens);
    const [promptTokens] = place < 0 ? [] : backlog.splice(place, 1);
    if (promptTokens !== undefined) return { promptTokens, sizeClass };
  }
  throw new Error('Expected a wish for something that waits, got none.');
};
