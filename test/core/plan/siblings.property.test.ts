import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LanePlan, Share } from '../../../src/core/plan/plan.ts';
import { mixedAmongSiblings } from '../../../src/core/plan/siblings.ts';
import { type SizeClass, sizeClasses } from '../../../src/core/plan/size-classes.ts';
import { aCell, aPlanLane, aPlanLimit, aSituation } from './a-situation.ts';

const LANES = ['alpha/one', 'alpha/two', 'alpha/three', 'beta/one'].map((id) => aPlanLane(id));
const ROUTE = { id: 1, batchId: 1, priority: 0, laneIds: LANES.map(({ id }) => id) };
const CLASSES = sizeClasses(
  aSituation({
    cells: [20, 24, 28, 32].map((band) => aCell(band, 50)),
    routes: [ROUTE],
    lanes: LANES,
    limits: [],
  }),
);

const anyShare = (sizeClass: SizeClass): fc.Arbitrary<Share> =>
  fc.record({
    sizeClass: fc.constant(sizeClass),
    now: fc.integer({ min: 0, max: 40 }),
    later: fc.integer({ min: 0, max: 40 }),
    worthMs: fc.constant(1),
    lossMs: fc.constant(0),
    goesFirst: fc.constant(false),
  });

/** Each lane may take some of the classes. */
const anyPlans: fc.Arbitrary<readonly LanePlan[]> = fc.tuple(
  ...LANES.map(({ id }) =>
    fc
      .subarray([...CLASSES])
      .chain((classes) => fc.tuple(...classes.map(anyShare)))
      .map((shares): LanePlan => ({ laneId: id, shares, binding: null, most: Infinity })),
  ),
);

const LIMITS = [
  aPlanLimit('alpha'),
  aPlanLimit('alpha', { metric: 'tokens', amount: 50_000 }),
  aPlanLimit('alpha/one'),
];

const sumOf = (shares: readonly Share[], time: 'now' | 'later'): number =>
  shares.reduce((sum, share) => sum + share[time], 0);

const amountOf = (shares: readonly Share[]): number => sumOf(shares, 'now') + sumOf(shares, 'later');

const ofClass = (plans: readonly LanePlan[], sizeClass: SizeClass): readonly Share[] =>
  plans.flatMap(({ shares }) => shares.filter((share) => share.sizeClass === sizeClass));

test('lanes that share their tokens have the same mix of what all of them may take, and as much as before', () => {
  fc.assert(
    fc.property(anyPlans, fc.constantFrom('now', 'later'), (plans, time) => {
      const mixed = mixedAmongSiblings(plans, { lanes: LANES, limits: LIMITS });
      for (const [index, { shares }] of mixed.entries()) {
        const before = plans[index]?.shares ?? [];
        expect(sumOf(shares, time)).toBeCloseTo(sumOf(before, time), 6);
        expect(shares.map(({ sizeClass }) => sizeClass)).toEqual(before.map(({ sizeClass }) => sizeClass));
      }
      expect(mixed.at(-1)).toEqual(plans.at(-1));
      for (const sizeClass of CLASSES)
        expect(sumOf(ofClass(mixed, sizeClass), time)).toBeCloseTo(sumOf(ofClass(plans, sizeClass), time), 6);
      const siblings = mixed.slice(0, 3);
      const common = CLASSES.filter((sizeClass) => ofClass(siblings, sizeClass).length === siblings.length);
      const parts = siblings.map(({ shares }) => {
        const own = shares.filter(({ sizeClass }) => common.includes(sizeClass));
        return own.map((share) => share[time] / Math.max(1e-9, sumOf(own, time)));
      });
      const [first, ...others] = parts.filter((own) => own.some((part) => part > 0));
      for (const other of others)
        for (const [place, part] of other.entries()) expect(part).toBeCloseTo(first?.[place] ?? 0, 6);
    }),
  );
});

test('a lane that counts tokens by itself, or something else, keeps what the programme gave it', () => {
  const alone = [...LIMITS, aPlanLimit('alpha/one', { metric: 'inputTokens', amount: 10_000 })];
  const lanes = LANES.map((lane) =>
    lane.id === 'alpha/two' ? { ...lane, unitCost: { input: 1, output: 1 } } : lane,
  );
  fc.assert(
    fc.property(anyPlans, (plans) => {
      expect(mixedAmongSiblings(plans, { lanes, limits: alone })).toEqual(plans);
    }),
  );
});

test.each([
  { scope: 'alpha', loss: 1 },
  { scope: 'alpha/one', loss: 0 },
])(
  'where $scope is used up, what a lane with less than its siblings takes beside the plan is of their mix or loses $loss',
  ({ scope, loss }) => {
    fc.assert(
      fc.property(anyPlans, (plans) => {
        const binding = aPlanLimit(scope);
        const mixed = mixedAmongSiblings(
          plans.map((plan) => ({ ...plan, binding: plan.laneId === 'alpha/three' ? null : binding })),
          { lanes: LANES, limits: LIMITS },
        );
        const siblings = mixed.slice(0, 3).filter(({ shares }) => shares.length > 0);
        const common = CLASSES.filter((sizeClass) => ofClass(siblings, sizeClass).length === siblings.length);
        const isCommon = ({ sizeClass }: Share): boolean => common.includes(sizeClass);
        const amounts = siblings.map(({ shares }) => amountOf(shares.filter(isCommon)));
        const equalPart = amounts.reduce((sum, amount) => sum + amount, 0) / siblings.length;
        fc.pre(siblings.length > 1 && amounts.every((amount) => Math.abs(amount - equalPart) > 1e-6));
        for (const [index, { laneId, shares, binding: itsBinding }] of siblings.entries()) {
          const isLeast = loss === 1 && (amounts[index] ?? 0) < equalPart;
          expect(itsBinding).toBe(isLeast || laneId !== 'alpha/three' ? binding : null);
          for (const share of shares) {
            const isInTheirPlace = isLeast && isCommon(share);
            expect(share.lossMs).toBe(isInTheirPlace ? 1 : 0);
            expect(share.ofSiblings ?? 0).toBeCloseTo(
              isInTheirPlace ? sumOf(ofClass(siblings, share.sizeClass), 'now') : 0,
              6,
            );
          }
        }
      }),
    );
  },
);
