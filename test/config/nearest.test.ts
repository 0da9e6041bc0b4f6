import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearestTo, suggestion } from '../../src/config/nearest.ts';

test('the edit distance is 0 only for equal words, the same both ways, and at most the longer length', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance === 0).toBe(a === b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test('two swapped neighbours are one edit', () => {
  expect(editDistance('rolling', 'rollign')).toBe(1);
});

test('the nearest come first and the far are left out', () => {
  expect(nearestTo('limts', ['limits', 'models', 'list'], 3)).toEqual(['limits', 'list']);
  expect(nearestTo('gpt-oss', ['groq/gpt-oss-20b', 'gemini'], 3)).toEqual(['groq/gpt-oss-20b']);
  expect(nearestTo('zzz', ['limits'], 3)).toEqual([]);
});

test('where nothing is near, all that is known is listed', () => {
  expect(suggestion('zzzzzz', ['requests', 'tokens'])).toBe('known: requests, tokens');
});
