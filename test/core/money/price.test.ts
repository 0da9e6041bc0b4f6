import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costNanoDollars, savingsOf } from '../../../src/core/money/price.ts';
import type { Price } from '../../../src/core/model.ts';

const MINI: Price = {
  inputNanoDollarsPerMillion: 150_000_000,
  outputNanoDollarsPerMillion: 600_000_000,
  requestNanoDollars: 0,
};
const NANO: Price = {
  inputNanoDollarsPerMillion: 50_000_000,
  outputNanoDollarsPerMillion: 400_000_000,
  requestNanoDollars: 0,
};

const someTokens = fc.integer({ min: 0, max: 10_000_000 });
const someUsage = fc.record({ promptTokens: someTokens, completionTokens: someTokens });
const somePrice: fc.Arbitrary<Price> = fc.record({
  inputNanoDollarsPerMillion: fc.integer({ min: 0, max: 1_000_000_000_000 }),
  outputNanoDollarsPerMillion: fc.integer({ min: 0, max: 1_000_000_000_000 }),
  requestNanoDollars: fc.integer({ min: 0, max: 1_000_000_000 }),
});

describe('costNanoDollars', () => {
  test('a million tokens each way cost the two prices', () => {
    expect(costNanoDollars(MINI, { promptTokens: 1_000_000, completionTokens: 1_000_000 })).toBe(750_000_000);
  });

  test('a call costs its own price beside its tokens', () => {
    const price = { ...NANO, requestNanoDollars: 5_000_000 };
    expect(costNanoDollars(price, { promptTokens: 1, completionTokens: 0 })).toBe(5_000_050);
  });

  test('is exact but for less than a billionth, which is rounded up', () => {
    fc.assert(
      fc.property(somePrice, someUsage, (price, usage) => {
        const exact =
          BigInt(usage.promptTokens) * BigInt(price.inputNanoDollarsPerMillion) +
          BigInt(usage.completionTokens) * BigInt(price.outputNanoDollarsPerMillion);
        const rest = BigInt(costNanoDollars(price, usage) - price.requestNanoDollars) * 1_000_000n - exact;
        expect(rest >= 0n && rest < 1_000_000n).toBe(true);
      }),
    );
  });

  test('more tokens never cost less, so what is held for the most that a call may take covers it', () => {
    fc.assert(
      fc.property(somePrice, someUsage, someUsage, (price, usage, more) => {
        const larger = {
          promptTokens: usage.promptTokens + more.promptTokens,
          completionTokens: usage.completionTokens + more.completionTokens,
        };
        expect(costNanoDollars(price, larger)).toBeGreaterThanOrEqual(costNanoDollars(price, usage));
      }),
    );
  });
});

describe('savingsOf', () => {
  const work = { promptTokens: 40_000_000, completionTokens: 2_000_000, calls: 9_000, spentNanoDollars: 0 };

  test('is against the cheapest for this work, whichever lane that is', () => {
    const prices = [
      { name: 'openai/mini', price: MINI },
      { name: 'openai/nano', price: NANO },
    ];
    expect(savingsOf(work, prices)).toEqual({ against: 'openai/nano', nanoDollars: 2_800_000_000 });
    const answers = { ...work, promptTokens: 0 };
    const cheapOut = { name: 'b/out', price: { ...MINI, outputNanoDollarsPerMillion: 1 } };
    expect(savingsOf(answers, [...prices, cheapOut])?.against).toBe('b/out');
  });

  test('what was spent is not saved, and nothing is ever lost', () => {
    const prices = [{ name: 'openai/mini', price: MINI }];
    const paid = { ...work, spentNanoDollars: 200_000_000 };
    expect(savingsOf(paid, prices)?.nanoDollars).toBe(7_000_000_000);
    expect(savingsOf({ ...work, spentNanoDollars: 99_000_000_000 }, prices)?.nanoDollars).toBe(0);
  });

  test('a price per call counts for every call', () => {
    const prices = [{ name: 'a/m', price: { ...NANO, requestNanoDollars: 1_000_000 } }];
    expect(savingsOf(work, prices)?.nanoDollars).toBe(2_800_000_000 + 9_000_000_000);
  });

  test('nothing can be said without a price', () => {
    expect(savingsOf(work, [])).toBeNull();
  });
});
