import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerTokensOf } from '../../../src/core/plan/answer-length.ts';
import { bandOf, bandRange } from '../../../src/core/plan/bands.ts';
import type { PlanRoute } from '../../../src/core/plan/situation.ts';
import { sizeClasses } from '../../../src/core/plan/size-classes.ts';
import { anyCells, anySituation, anyTallies } from './any-situation.ts';

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

test('every cell of a known route is in exactly one class, with lanes and bounds that are its own', () => {
  fc.assert(
    fc.property(anySituation, fc.boolean(), ({ cells, routes, answers }, isLarge) => {
      const all = isLarge ? [...cells, ...manyCells(routes)] : cells;
      const classes = sizeClasses(all, routes, answers);
      expect(classes.flatMap((one) => one.cells).toSorted(byIdentity)).toEqual(all.toSorted(byIdentity));
      for (const sizeClass of classes) {
        expect(sizeClass.count).toBe(sizeClass.cells.reduce((sum, { count }) => sum + count, 0));
        expect(sizeClass.answerTokens).toBeLessThanOrEqual(sizeClass.capTokens + 1e-9);
        for (const cell of sizeClass.cells) {
          expect(routes.find(({ id }) => id === cell.routeId)?.laneIds).toEqual(sizeClass.laneIds);
          expect(cell.outputIsAsked).toBe(sizeClass.outputIsAsked);
          expect(cell.capTokens).toBeLessThanOrEqual(sizeClass.largestCapTokens);
          expect(cell.promptTokens / cell.count).toBeLessThanOrEqual(sizeClass.largestPromptTokens);
        }
      }
    }),
  );
});

const byIdentity = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

test('there are no more classes than there are sets of lanes, times sixty', () => {
  fc.assert(
    fc.property(anySituation, ({ cells, routes }) => {
      const classes = sizeClasses([...cells, ...manyCells(routes)], routes, []);
      const lanes = new Set(routes.map(({ laneIds }) => laneIds.join(' ')));
      expect(classes.length).toBeLessThanOrEqual(60 * lanes.size);
    }),
  );
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
