import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeHistogram } from '../../../src/cli/plan/size-histogram.ts';
import { paint, lineWidth } from '../../../src/cli/text/styled.ts';

const bar = fc.record({ fromTokens: fc.nat(90_000), toTokens: fc.nat(90_000), count: fc.nat(1_000_000) });

describe('a histogram of sizes', () => {
  it('shows whatever there is, if only as an eighth of a cell, and nothing where there is none', () => {
    const lines = sizeHistogram(
      [
        { fromTokens: 0, toTokens: 0, count: 0 },
        { fromTokens: 1, toTokens: 2, count: 1 },
        { fromTokens: 3, toTokens: 6, count: 1_000_000 },
      ],
      60,
    ).map((line) => paint(line, false));
    expect(lines[0]).not.toMatch(/[█-▏]/u);
    expect(lines[1]).toContain('▏');
    expect(lines[2]).toMatch(/█{20,}/u);
  });

  it('has lines of one width, which fits any terminal that has room for the figures', () => {
    fc.assert(
      fc.property(
        fc.array(bar, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 50, max: 200 }),
        (bars, columns) => {
          const widths = new Set(sizeHistogram(bars, columns).map(lineWidth));
          expect(widths.size).toBe(1);
          expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});
