import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { remembering } from '../../../src/adapters/tokens/piece-memory.ts';

/** A memory of lengths, and what it had to count. */
const setUp = () => {
  const counted: string[] = [];
  const lengthOf = remembering((piece) => {
    counted.push(piece);
    return piece.length;
  });
  return { counted, lengthOf };
};

describe('remembering', () => {
  it('counts a piece once, wherever in a text it stands', () => {
    const { counted, lengthOf } = setUp();
    expect([lengthOf('one two', 0, 3), lengthOf('two', 0, 3), lengthOf('one two', 4, 7)]).toEqual([3, 3, 3]);
    expect(counted).toEqual(['one', 'two']);
  });

  it('answers what was counted, for any pieces', () => {
    const { lengthOf } = setUp();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (piece) => {
        for (let again = 0; again < 2; again += 1)
          expect(lengthOf(piece, 0, piece.length)).toBe(piece.length);
      }),
    );
  });

  it('tells pieces of the same letters apart, and forgets some when there are too many', () => {
    const { counted, lengthOf } = setUp();
    const pieces = Array.from({ length: 300_000 }, (_, index) => 'x'.repeat(index % 7) + index);
    const mistaken = [...pieces, ...pieces].filter(
      (piece) => lengthOf(piece, 0, piece.length) !== piece.length,
    );
    expect(mistaken).toEqual([]);
    expect(counted.length).toBeGreaterThan(pieces.length);
    expect(counted.length).toBeLessThan(2 * pieces.length);
  });
});
