import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, LONGEST_MS, parseDuration, SHORTEST_MS } from '../../src/config/duration.ts';

test('any duration in range survives being written and read', () => {
  const durations = fc.integer({ min: SHORTEST_MS, max: LONGEST_MS });
  fc.assert(
    fc.property(durations, (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});

test('any fraction of hours reads as its milliseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 71_999 }), (hundredths) => {
      expect(parseDuration(`${(hundredths / 100).toFixed(2)}h`)).toBe(hundredths * 36_000);
    }),
  );
});

test.each([
  ['100ms', 100],
  ['1.1s', 1_100],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['2 m', 120_000],
  ['1w', 604_800_000],
  ['30d', 2_592_000_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', '99ms', '31d', '5w', '-1s', '1e3s', '1m30s', '1month', 's', 'Infinityd', '1.s', '2M'])(
  '%j is not a duration in range',
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);
