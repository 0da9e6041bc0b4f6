import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BAR_CELLS, barParts, meterBar } from '../../src/cli/text/meter-bar.ts';
import { paint } from '../../src/cli/text/styled.ts';
import { aLimit } from './a-progress-view.ts';

const draw = (changes: Parameters<typeof aLimit>[0], width = 12): string =>
  paint(meterBar(aLimit(changes), width), false);

const anyLimit = fc
  .record({
    declaredAmount: fc.integer({ min: 1, max: 1e12 }),
    reservedAmount: fc.nat(1e12),
    used: fc.nat(1e12),
  })
  .chain((limit) =>
    fc.integer({ min: 1, max: limit.declaredAmount }).map((amount) => aLimit({ ...limit, amount })),
  );

describe('the bar of a limit', () => {
  it.for([
    [{ used: 0 }, '············'],
    [{ used: 15 }, '██████······'],
    [{ used: 30 }, '████████████'],
    [{ used: 6, amount: 24, reservedAmount: 6 }, '███·······▒▒'],
    [{ used: 10, amount: 20, declaredAmount: 30 }, '████····××××'],
    [{ used: 25, amount: 20, declaredAmount: 30 }, '██████████××'],
  ] as const)('shows %o as %s', ([changes, picture]) => {
    expect(draw(changes)).toBe(picture);
  });

  it('has exactly its width, and a cell for whatever there is', () => {
    fc.assert(
      fc.property(anyLimit, fc.integer({ min: 4, max: 40 }), (limit, width) => {
        const picture = draw(limit, width);
        expect(picture).toHaveLength(width);
        for (const { kind, amount } of barParts(limit))
          expect(picture.includes(BAR_CELLS[kind])).toBe(amount > 0);
      }),
    );
  });

  it("is made of parts that add up to the provider's figure", () => {
    fc.assert(
      fc.property(anyLimit, (limit) => {
        const sum = barParts(limit).reduce((total, { amount }) => total + amount, 0);
        expect(sum).toBe(limit.declaredAmount + limit.reservedAmount);
      }),
    );
  });
});
