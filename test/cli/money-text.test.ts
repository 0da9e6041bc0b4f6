import { expect, test } from 'vitest';
import type { Batch } from '../../src/app/batch-store.ts';
import type { Savings } from '../../src/core/money/price.ts';
import { moneyText } from '../../src/cli/display/money-text.ts';
import { aBatch } from '../app/fakes.ts';

const SAVED: Savings = { against: 'openai/gpt-4o-mini', nanoDollars: 7_104_000_000 };

test.each<[string, Partial<Batch>, Savings | null, string]>([
  ['nothing', {}, null, ''],
  ['nothing, of which nothing was saved', {}, { ...SAVED, nanoDollars: 0 }, ''],
  ['what was saved', {}, SAVED, 'saved $7.10 against openai/gpt-4o-mini'],
  [
    'what was spent of the budget, and saved',
    { maxCostNanoDollars: 2_500_000_000, spentNanoDollars: 412_000_000 },
    SAVED,
    'spent $0.42 of $2.50; saved $7.10 against openai/gpt-4o-mini',
  ],
  [
    'what calls under way may cost',
    { maxCostNanoDollars: 5_000_000, spentNanoDollars: 0, heldNanoDollars: 3_140_001 },
    null,
    'spent $0.00 of $0.005 (and up to $0.0032 by calls under way)',
  ],
  ['what was spent before the budget was taken away', { spentNanoDollars: 20_000_000 }, null, 'spent $0.02'],
])('%s', (_, batch, savings, text) => {
  expect(moneyText({ batch: aBatch(batch), savings })).toBe(text);
});
