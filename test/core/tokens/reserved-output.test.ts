import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reservedOutputTokens } from '../../../src/core/tokens/reserved-output.ts';

describe('reservedOutputTokens', () => {
  it('is at least what was asked, at most an eighth more, and one of few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), (asked) => {
        expect(reservedOutputTokens(asked)).toBeGreaterThanOrEqual(asked);
        expect(reservedOutputTokens(asked)).toBeLessThanOrEqual(Math.ceil(asked * 1.125));
      }),
    );
    const caps = new Set(Array.from({ length: 4_096 }, (_, index) => reservedOutputTokens(index + 1)));
    expect(caps.size).toBeLessThan(100);
  });
});
