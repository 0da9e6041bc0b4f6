import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dollarsText,
  exactDollarsText,
  MOST_DOLLARS,
  NANO_DOLLARS_PER_DOLLAR,
  parseDollars,
  plainDollars,
} from '../../../src/core/money/nano-dollars.ts';

const MOST = MOST_DOLLARS * NANO_DOLLARS_PER_DOLLAR;
const someNanoDollars = fc.oneof(fc.nat(2_000_000_000), fc.integer({ min: 0, max: MOST }));
const someMillionths = fc.integer({ min: 0, max: MOST / 1_000 }).map((millionths) => millionths * 1_000);

const amountOf = (text: string): number => Math.round(Number(text.replaceAll(/[$,]/gu, '')) * 1e9);

describe('parseDollars', () => {
  test.each([
    ['2.50', 2_500_000_000],
    ['2.5', 2_500_000_000],
    ['0.000001', 1_000],
    ['1000000', MOST],
    ['0', 0],
    ['0.05', 50_000_000],
  ])('reads %s to the last digit', (text, nanoDollars) => {
    expect(parseDollars(text)).toBe(nanoDollars);
  });

  test.each(['', '-1', '$2', '2,50', '1e3', '.5', '2.', '0.0000001', '1000000.000001', 'NaN', ' 2', '0x10'])(
    'takes %j for no amount',
    (text) => {
      expect(parseDollars(text)).toBeNull();
    },
  );

  test('reads what plainDollars writes, and nothing else of it', () => {
    fc.assert(
      fc.property(someMillionths, (nanoDollars) => {
        expect(parseDollars(plainDollars(nanoDollars))).toBe(nanoDollars);
      }),
    );
  });
});

describe('dollarsText', () => {
  test.each([
    [2_500_000_000, '$2.50', '$2.50'],
    [420_000_001, '$0.43', '$0.42'],
    [3_100_000, '$0.0031', '$0.0031'],
    [3_149_999, '$0.0032', '$0.0031'],
    [42_100_000, '$0.043', '$0.042'],
    [99_999_999, '$0.10', '$0.099'],
    [0, '$0.00', '$0.00'],
    [7, '$0.000000007', '$0.000000007'],
    [1_234_567_000_000_000, '$1,234,567.00', '$1,234,567.00'],
  ])('%d billionths are %s rounded up and %s rounded down', (nanoDollars, up, down) => {
    expect([dollarsText(nanoDollars, 'up'), dollarsText(nanoDollars, 'down')]).toEqual([up, down]);
  });

  test('never says less than was spent or more than was saved, and is off by a tenth at most', () => {
    fc.assert(
      fc.property(someNanoDollars, (nanoDollars) => {
        const [up, down] = [dollarsText(nanoDollars, 'up'), dollarsText(nanoDollars, 'down')].map(amountOf);
        expect(down).toBeLessThanOrEqual(nanoDollars);
        expect(up).toBeGreaterThanOrEqual(nanoDollars);
        expect((up ?? 0) - (down ?? 0)).toBeLessThanOrEqual(Math.max(1, nanoDollars / 10));
      }),
    );
  });

  test('a budget is shown to its last digit', () => {
    expect([2_500_000_000, 125_000, 5_000_000].map(exactDollarsText)).toEqual([
      '$2.50',
      '$0.000125',
      '$0.005',
    ]);
  });
});
