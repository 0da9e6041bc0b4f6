import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bandOf, bandRange } from '../../../src/core/plan/bands.ts';

const LARGEST_TOKENS = 5_000_000;

test('every prompt lies in the range of its band, and in that of no other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LARGEST_TOKENS }), (promptTokens) => {
      const band = bandOf(promptTokens);
      const { fromTokens, toTokens } = bandRange(band);
      expect(promptTokens).toBeGreaterThanOrEqual(fromTokens);
      expect(promptTokens).toBeLessThanOrEqual(toTokens);
      expect(bandRange(band + 1).fromTokens).toBe(toTokens + 1);
      expect(bandRange(band - 1).toTokens).toBe(fromTokens - 1);
    }),
  );
});

test('bands never fall as prompts grow, and those of one band differ by a third of an octave at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LARGEST_TOKENS }), (promptTokens) => {
      const { fromTokens, toTokens } = bandRange(bandOf(promptTokens));
      expect(bandOf(promptTokens + 1)).toBeGreaterThanOrEqual(bandOf(promptTokens));
      expect(toTokens + 1).toBeLessThanOrEqual((fromTokens + 1) * 2 ** (1 / 3));
    }),
  );
});
