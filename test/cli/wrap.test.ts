import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../src/cli/text/width.ts';
import { wrapText } from '../../src/cli/text/wrap.ts';

describe('a sentence in lines', () => {
  it('is broken at spaces, with the following lines indented', () => {
    expect(wrapText('a refusal although there was room', 14, 2)).toEqual([
      'a refusal',
      '  although',
      '  there was',
      '  room',
    ]);
  });

  it('is never wider than the columns there are', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 80 });
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 40 }), fc.nat(8), (sentence, columns, indent) => {
        for (const line of wrapText(sentence, columns, indent))
          expect(textWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('keeps every word that fits a line, in order', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/u), { maxLength: 20 });
    fc.assert(
      fc.property(words, fc.integer({ min: 12, max: 40 }), fc.nat(4), (list, columns, indent) => {
        const lines = wrapText(list.join(' '), columns, indent);
        expect(lines.flatMap((line) => line.trim().split(' ')).filter((word) => word !== '')).toEqual(list);
      }),
    );
  });

  it('stays whole where there is no bound', () => {
    expect(wrapText('one line of any length', Infinity, 2)).toEqual(['one line of any length']);
  });
});
