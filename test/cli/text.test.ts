import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockTime, counted, durationText, fullCount, shortCount } from '../../src/cli/text/quantity.ts';
import { fitLine, lineWidth, paint, span } from '../../src/cli/text/styled.ts';
import { tableLines } from '../../src/cli/text/table.ts';
import { cutText, oneLine, padEnd, padStart, textWidth } from '../../src/cli/text/width.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 60 }).map(oneLine);
const anyColumns = fc.integer({ min: 0, max: 70 });

describe('text on a terminal', () => {
  it('is cut to the columns there are, whatever the script', () => {
    fc.assert(
      fc.property(anyText, anyColumns, (text, columns) => {
        expect(textWidth(cutText(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('is padded to exactly its column, left or right, unless a wide character cannot be halved', () => {
    fc.assert(
      fc.property(anyText, anyColumns, (text, columns) => {
        expect(textWidth(padEnd(text, columns))).toBe(columns);
        expect(textWidth(padStart(text, columns))).toBe(columns);
      }),
    );
  });

  it('counts wide characters twice and marks not at all', () => {
    expect(textWidth('日本')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
  });

  it('loses whatever a terminal would obey', () => {
    expect(oneLine('a\u001b[31mb\nc\u202e')).toBe('a [31mb c ');
  });

  it('is cut across spans of different styles', () => {
    const line = [span('abc', 'red'), span('defg'), span('h', 'dim')];
    for (let columns = 1; columns <= 9; columns += 1) {
      expect(lineWidth(fitLine(line, columns))).toBeLessThanOrEqual(columns);
    }
    expect(paint(fitLine(line, 8), false)).toBe('abcdefgh');
    expect(paint(fitLine(line, 5), false)).toBe('abcd…');
    expect(paint(fitLine(line, 3), false)).toBe('ab…');
  });

  it('has colours only where they are wanted', () => {
    expect(paint([span('a', 'red')], false)).toBe('a');
    expect(paint([span('a', 'red')], true)).toContain('\u001b[31m');
  });
});

const UNITS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };
const valueOf = (text: string): number => Number.parseFloat(text) * (UNITS[text.at(-1) ?? ''] ?? 1);

describe('quantities', () => {
  it('are written in full with separators, or short', () => {
    expect(fullCount(1_234_567)).toBe('1,234,567');
    expect([950, 1_250, 20_000, 199_999, 4_100_000].map(shortCount)).toEqual([
      '950',
      '1.2k',
      '20k',
      '199k',
      '4.1M',
    ]);
    expect([counted(1, 'line'), counted(2_000, 'line')]).toEqual(['1 line', '2,000 lines']);
  });

  it('never say more than there is', () => {
    fc.assert(
      fc.property(fc.nat(), (count) => {
        expect(valueOf(shortCount(count))).toBeLessThanOrEqual(count + 1e-6);
        expect(shortCount(count).length).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('of time are written in their two largest units', () => {
    const texts = [850, 12_000, 200_000, 2_280_000, 7_500_000, 273_600_000].map(durationText);
    expect(texts).toEqual(['850 ms', '12 s', '3 min 20 s', '38 min', '2 h 05 min', '3 d 4 h']);
  });

  it('name the day of an instant when it is not today', () => {
    const noon = new Date(2026, 10, 20, 12).getTime();
    expect(clockTime(new Date(2026, 10, 20, 14, 5).getTime(), noon)).toBe('14:05');
    expect(clockTime(new Date(2026, 10, 21, 9).getTime(), noon)).toBe('tomorrow 09:00');
    expect(clockTime(new Date(2026, 10, 23, 9).getTime(), noon)).toBe('Monday 09:00');
    expect(clockTime(new Date(2026, 11, 1, 9).getTime(), noon)).toBe('2026-12-01 09:00');
  });
});

describe('a table', () => {
  it('aligns its columns and pads nothing at the end', () => {
    const columns = [
      { title: 'lane', align: 'left' },
      { title: 'calls', align: 'right' },
    ] as const;
    expect(tableLines(columns, [['a/b', '12'], ['c']])).toEqual(['lane  calls', 'a/b      12', 'c']);
  });
});
