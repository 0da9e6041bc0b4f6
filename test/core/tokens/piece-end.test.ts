import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_PIECE, pieceEnd } from '../../../src/core/tokens/piece-end.ts';

const piecesOf = (text: string): string[] => {
  const pieces: string[] = [];
  for (let from = 0, end = 0; from < text.length; from = end) {
    end = pieceEnd(text, from);
    pieces.push(text.slice(from, end));
  }
  return pieces;
};

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 1_000 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '\u00A0', '\u3000', '中', '😀', '\uD800'),
    maxLength: 1_000,
  }),
);

describe('pieceEnd', () => {
  it.each<[string, readonly string[]]>([
    ['two words', ['two', ' words']],
    ['two  spaces', ['two  spaces']],
    ['end ', ['end ']],
    [' begin', [' begin']],
    ['a line.\n\nanother', ['a', ' line.\n\nanother']],
    ['tab\tbed, no\u00A0break', ['tab\tbed,', ' no\u00A0break']],
    ['\n indented', ['\n indented']],
    ['wide\u3000 space', ['wide\u3000 space']],
    ['文 字', ['文', ' 字']],
    ['', []],
  ])('cuts %j before single spaces between words', (text, pieces) => {
    expect(piecesOf(text)).toEqual(pieces);
  });

  it('makes pieces that joined are the text, none empty and none over the longest', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const pieces = piecesOf(text);
        expect(pieces.join('')).toBe(text);
        for (const { length } of pieces) {
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(LONGEST_PIECE);
        }
      }),
    );
  });

  it('cuts elsewhere only after the longest piece', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const [index, piece] of piecesOf(text).slice(1).entries()) {
          const isBeforeWord = /^ \S/u.test(piece);
          const before = piecesOf(text)[index]?.length ?? 0;
          expect(isBeforeWord || before >= LONGEST_PIECE - 1).toBe(true);
        }
      }),
    );
  });

  it.each([0, 1])('tears no pair of surrogates apart, wherever the pairs begin (%i)', (offset) => {
    const text = 'x'.repeat(offset) + '😀'.repeat(LONGEST_PIECE);
    for (const piece of piecesOf(text)) expect(piece.isWellFormed()).toBe(true);
  });

  /** The work is what bounds the time: as many pieces as there must be, whatever the text is made of. */
  it.each([' ', 'a', '中', '\n', '\uD800', '😀'])(
    'cuts a million of %j into pieces of the longest',
    (unit) => {
      const units = 1_000_000;
      expect(piecesOf(unit.repeat(units / unit.length))).toHaveLength(Math.ceil(units / LONGEST_PIECE));
    },
  );
});
