import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rememberFirstLines } from '../../src/app/first-lines.ts';

describe('first lines', () => {
  it('answer for each id the line at which it came first, as a map would', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 200 }), (ids) => {
        const [lines, map] = [rememberFirstLines(), new Map<string, number>()];
        for (const [index, id] of ids.entries()) {
          if (!map.has(id)) map.set(id, index + 1);
          expect(lines.firstOf(id, index + 1)).toBe(map.get(id));
        }
      }),
    );
  });

  it('keep 100,000 ids apart that differ by a digit, and know each again', () => {
    const lines = rememberFirstLines();
    const ids = Array.from({ length: 100_000 }, (_, index) => `document-${index}`);
    const firsts = ids.map((id, index) => lines.firstOf(id, index + 1));
    const seconds = ids.map((id, index) => lines.firstOf(id, 200_000 + index));
    expect(firsts.every((first, index) => first === index + 1)).toBe(true);
    expect(seconds).toEqual(firsts);
  });
});
