import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandOf } from '../../../src/core/plan/bands.ts';
import { sizeBars, startTally, type TalliedRequest } from '../../../src/core/plan/tally.ts';

const requests = fc.array(
  fc.record({
    promptTokens: fc.integer({ min: 0, max: 200_000 }),
    outputTokens: fc.integer({ min: 1, max: 65_536 }),
    outputIsAsked: fc.boolean(),
  }),
  { maxLength: 60 },
);

const tallied = (some: readonly TalliedRequest[]) => {
  const tally = startTally();
  for (const request of some) tally.add('small', request);
  return tally.cells().get('small') ?? [];
};

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

describe('a tally', () => {
  it('loses no request and no token', () => {
    fc.assert(
      fc.property(requests, (some) => {
        const cells = tallied(some);
        expect(sumOf(cells.map(({ count }) => count))).toBe(some.length);
        expect(sumOf(cells.map(({ promptTokens }) => promptTokens))).toBe(
          sumOf(some.map(({ promptTokens }) => promptTokens)),
        );
      }),
    );
  });

  it('keeps every request within the sizes and the bound of some cell', () => {
    fc.assert(
      fc.property(requests, (some) => {
        const cells = tallied(some);
        for (const { promptTokens, outputTokens, outputIsAsked } of some) {
          const own = cells.some(
            (cell) =>
              cell.outputIsAsked === outputIsAsked &&
              cell.fromTokens <= promptTokens &&
              promptTokens <= cell.toTokens &&
              outputTokens <= cell.capTokens &&
              bandOf(cell.fromTokens) === bandOf(cell.toTokens),
          );
          expect(own).toBe(true);
        }
      }),
    );
  });

  it('stays small where every line asks for a bound of its own', () => {
    const cells = tallied(
      Array.from({ length: 5_000 }, (_, index) => ({
        promptTokens: 100,
        outputTokens: index + 1,
        outputIsAsked: true,
      })),
    );
    expect(cells.length).toBeLessThan(40);
  });

  it('keeps names apart', () => {
    const tally = startTally();
    const request = { promptTokens: 100, outputTokens: 50, outputIsAsked: false };
    tally.add('small', request);
    tally.add('large', request);
    expect([...tally.cells().keys()]).toEqual(['small', 'large']);
  });
});

describe('bars of sizes', () => {
  it('have every request in exactly one bar, and no gap between bars', () => {
    fc.assert(
      fc.property(requests, (some) => {
        const bars = sizeBars(tallied(some));
        for (const bar of bars) {
          const inside = some.filter(
            ({ promptTokens }) => bar.fromTokens <= promptTokens && promptTokens <= bar.toTokens,
          );
          expect(bar.count).toBe(inside.length);
        }
        expect(sumOf(bars.map(({ count }) => count))).toBe(some.length);
        const edges = bars.slice(1).map(({ fromTokens }, index) => fromTokens - (bars[index]?.toTokens ?? 0));
        expect(edges.every((step) => step === 1)).toBe(true);
      }),
    );
  });
});
