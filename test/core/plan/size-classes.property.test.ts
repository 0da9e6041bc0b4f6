import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerTokensOf } from '../../../src/core/plan/answer-length.ts';
import { bandOf, bandRange } from '../../../src/core/plan/bands.ts';
import { canTake } from '../../../src/core/plan/demand.ts';
import type { PlanRoute, Situation } from '../../../src/core/plan/situation.ts';
import { type SizeClass, sizeClasses } from '../../../src/core/plan/size-classes.ts';
import { aCell, aPlanLane, aSituation } from './a-situation.ts';
import { anyCells, anySituation, anyTallies, NOW_MS } from './any-situation.ts';

const HOUR_MS = 3_600_000;

/** A cell for each band and cap, on each of some routes: more than a plan has classes for. */
const manyCells = (routes: readonly PlanRoute[]) =>
  routes.flatMap(({ id }) =>
    [16, 500, 4_000].flatMap((capTokens) =>
      Array.from({ length: 40 }, (_, index) => {
        const { fromTokens, toTokens } = bandRange(12 + index);
        return {
          routeId: id,
          outputIsAsked: index % 2 === 0,
          capTokens,
          fromTokens,
          toTokens,
          largestTokens: toTokens,
          count: 3,
          promptTokens: 3 * toTokens,
        };
      }),
    ),
  );

const withManyCells = (situation: Situation): Situation => ({
  ...situation,
  cells: [...situation.cells, ...manyCells(situation.routes)],
});

/** Few or many cells, and any batch may expire, or have expired. */
const anyBacklog: fc.Arbitrary<Situation> = fc
  .record({ situation: anySituation, isLarge: fc.boolean() })
  .map(({ situation, isLarge }) => (isLarge ? withManyCells(situation) : situation))
  .chain((situation) =>
    fc
      .array(fc.option(fc.integer({ min: -HOUR_MS, max: 24 * HOUR_MS })), {
        minLength: situation.routes.length,
        maxLength: situation.routes.length,
      })
      .map((expiries) => ({
        ...situation,
        routes: situation.routes.map((route, index) => {
          const inMs = expiries[index] ?? null;
          return inMs === null ? route : { ...route, expiresAtMs: NOW_MS + inMs };
        }),
      })),
  );

test('every cell of a known route is in exactly one class, with lanes and bounds that are its own', () => {
  fc.assert(
    fc.property(anyBacklog, (situation) => {
      const { cells, routes } = situation;
      const classes = sizeClasses(situation);
      expect(classes.flatMap((one) => one.cells).toSorted(byIdentity)).toEqual(cells.toSorted(byIdentity));
      expect(new Set(classes.map(({ key }) => key)).size).toBe(classes.length);
      for (const sizeClass of classes) {
        expect(sizeClass.count).toBe(sizeClass.cells.reduce((sum, { count }) => sum + count, 0));
        expect(sizeClass.answerTokens).toBeLessThanOrEqual(sizeClass.capTokens + 1e-9);
        for (const cell of sizeClass.cells) {
          expect(routes.find(({ id }) => id === cell.routeId)?.laneIds).toEqual(sizeClass.laneIds);
          expect(cell.outputIsAsked).toBe(sizeClass.outputIsAsked);
          const isNoLarger = ({ capTokens, largestTokens }: SizeClass['largest'][number]): boolean =>
            cell.capTokens <= capTokens && cell.largestTokens <= largestTokens;
          expect(sizeClass.largest.some(isNoLarger)).toBe(true);
        }
      }
    }),
  );
});

const takers = (situation: Situation, sizeClass: SizeClass): readonly string[] =>
  situation.lanes
    .filter(({ id }) => sizeClass.laneIds.includes(id))
    .filter((lane) =>
      canTake(
        lane,
        situation.limits.filter(({ scope }) => scope === lane.id || scope === lane.providerId),
        sizeClass,
      ),
    )
    .map(({ id }) => id);

test('the lanes that can take a class are those that can take any one of its cells', () => {
  fc.assert(
    fc.property(anyBacklog, (situation) => {
      for (const sizeClass of sizeClasses(situation)) {
        const ofClass = takers(situation, sizeClass);
        for (const cell of sizeClass.cells)
          for (const alone of sizeClasses({ ...situation, cells: [cell] }))
            expect(takers(situation, alone)).toEqual(ofClass);
      }
    }),
  );
});

const byIdentity = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

test('there are no more classes than there are sets of lanes, times sixty', () => {
  fc.assert(
    fc.property(anyBacklog, (situation) => {
      const lanes = new Set(situation.routes.map(({ laneIds }) => laneIds.join(' ')));
      expect(sizeClasses(situation).length).toBeLessThanOrEqual(60 * lanes.size);
    }),
  );
});

/** A batch with requests of these bands for each of these deadlines, all for one lane. */
const batchesBy = (expiries: readonly number[], bands: readonly number[]): Situation =>
  aSituation({
    nowMs: NOW_MS,
    routes: expiries.map((expiresAtMs, id) => {
      return { id, batchId: id, priority: 0, laneIds: ['alpha/small'], expiresAtMs };
    }),
    cells: expiries.flatMap((_, routeId) => bands.map((band) => aCell(band, 5, { routeId }))),
  });

const ONE_SIZE = [20];
const TWENTY_SIZES = Array.from({ length: 20 }, (_, index) => 16 + index);
/** Many at any time, and some just before and after now. */
const anyDeadlines = fc.array(
  fc
    .oneof(fc.integer({ min: -HOUR_MS, max: 48 * HOUR_MS }), fc.integer({ min: -20_000, max: 20_000 }))
    .map((inMs) => NOW_MS + inMs),
  { minLength: 1, maxLength: 200 },
);
const manyDeadlines = fc
  .tuple(anyDeadlines, fc.constantFrom(ONE_SIZE, TWENTY_SIZES))
  .map(([expiries, sizes]) => batchesBy(expiries, sizes));

test('a class expires with the first of its requests, and holds none that has expired or never does beside others', () => {
  fc.assert(
    fc.property(fc.oneof(anyBacklog, manyDeadlines), (situation) => {
      for (const { cells, expiresAtMs } of sizeClasses(situation)) {
        const expiries = cells.map(
          (cell) => situation.routes.find(({ id }) => id === cell.routeId)?.expiresAtMs ?? Infinity,
        );
        expect(expiresAtMs ?? Infinity).toBe(Math.min(...expiries));
        const kinds = expiries.map((atMs) => (atMs === Infinity ? 'never' : atMs > NOW_MS));
        expect(new Set(kinds).size).toBe(1);
      }
    }),
  );
});

test('there are no more than sixty classes, however many deadlines there are', () => {
  fc.assert(
    fc.property(manyDeadlines, (situation) => {
      expect(sizeClasses(situation).length).toBeLessThanOrEqual(60);
    }),
    { numRuns: 30 },
  );
});

test('deadlines that are put together are neighbours', () => {
  fc.assert(
    fc.property(anyDeadlines, (expiries) => {
      const spans = sizeClasses(batchesBy(expiries, ONE_SIZE))
        .map(({ cells }) => cells.map(({ routeId }) => expiries[routeId] ?? 0))
        .map((own) => ({ firstMs: Math.min(...own), lastMs: Math.max(...own) }))
        .toSorted((a, b) => a.firstMs - b.firstMs);
      for (const [index, { lastMs }] of spans.entries())
        expect(lastMs).toBeLessThan(spans[index + 1]?.firstMs ?? Infinity);
    }),
    { numRuns: 30 },
  );
});

test('the nearest of hundreds of deadlines are told apart to the last', () => {
  const soon = [1, 2, 3].map((count) => NOW_MS + count * 300_000);
  const late = Array.from({ length: 300 }, (_, index) => NOW_MS + 8 * HOUR_MS + index * 60_000);
  const expiries = sizeClasses(batchesBy([...soon, ...late], ONE_SIZE)).map(({ expiresAtMs }) => expiresAtMs);
  expect(expiries).toEqual(expect.arrayContaining(soon));
});

test('the expected answer is never negative and never above its bound', () => {
  fc.assert(
    fc.property(
      anyCells([1]),
      anyTallies,
      fc.option(fc.constantFrom(1, 2, 3), { nil: undefined }),
      (cells, tallies, batchId) => {
        const expected = answerTokensOf(tallies);
        for (const cell of cells) {
          expect(expected(cell, batchId)).toBeGreaterThanOrEqual(0);
          expect(expected(cell, batchId)).toBeLessThanOrEqual(cell.capTokens);
        }
      },
    ),
  );
});

test('after many answers of one size the expected one is their mean', () => {
  fc.assert(
    fc.property(anyCells([1]), fc.integer({ min: 1, max: 15 }), (cells, mean) => {
      for (const cell of cells) {
        const tally = { batchId: 1, band: bandOf(cell.toTokens), answers: 100_000, tokens: 100_000 * mean };
        expect(Math.abs(answerTokensOf([tally])(cell, 1) - mean)).toBeLessThan(0.2);
      }
    }),
  );
});

test('a batch without answers is taken to be as those of others to prompts of the same size', () => {
  const sizes = [100, 2_000];
  const others = sizes.flatMap((size, index) =>
    [1, 2].map((batchId) => ({ batchId, band: bandOf(size), answers: 500, tokens: 500 * 40 * (index + 1) })),
  );
  const expected = answerTokensOf(others);
  for (const batchId of [3, undefined]) {
    const [short, long] = sizes.map((toTokens) => expected({ capTokens: 1_000, toTokens }, batchId));
    expect(short).toBeCloseTo(40, -1);
    expect(long).toBeCloseTo(80, -1);
  }
});

test('a few answers of its own outweigh any number of those of others', () => {
  const expected = answerTokensOf([
    { batchId: 1, band: bandOf(500), answers: 2_000, tokens: 2_000 * 30 },
    { batchId: 2, band: bandOf(500), answers: 40, tokens: 40 * 600 },
  ]);
  expect(expected({ capTokens: 1_000, toTokens: 500 }, 2)).toBeGreaterThan(540);
});

test('lanes that no request may run on make classes no coarser', () => {
  const cells = Array.from({ length: 50 }, (_, index) => aCell(index, 10));
  const others = Array.from({ length: 60 }, (_, index) => aPlanLane(`other/${index}`));
  const few = aSituation({ cells });
  const classes = sizeClasses(few);
  expect(classes.length).toBeGreaterThan(40);
  expect(sizeClasses({ ...few, lanes: [...few.lanes, ...others] })).toEqual(classes);
});
