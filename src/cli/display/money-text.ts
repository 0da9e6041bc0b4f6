/** What a batch has cost and saved, in words. */
import type { Progress } from '../../app/progress.ts';
import { dollarsText, exactDollarsText } from '../../core/money/nano-dollars.ts';

/** `spent $0.42 of $2.50; saved $7.10 against openai/gpt-4o-mini`; nothing where there is nothing to say. */
export function moneyText({ batch, savings }: Pick<Progress, 'batch' | 'savings'>): string {
  const saved =
    savings === null || savings.nanoDollars === 0
      ? []
      : [`saved ${dollarsText(savings.nanoDollars, 'down')} against ${savings.against}`];
  return [...spentTexts(batch), ...saved].join('; ');
}

function spentTexts({
  maxCostNanoDollars,
  spentNanoDollars,
  heldNanoDollars,
}: Progress['batch']): readonly string[] {
  if (maxCostNanoDollars === null && spentNanoDollars === 0) return [];
  const budget = maxCostNanoDollars === null ? '' : ` of ${exactDollarsText(maxCostNanoDollars)}`;
  const held =
    heldNanoDollars === 0 ? '' : ` (and up to ${dollarsText(heldNanoDollars, 'up')} by calls under way)`;
  return [`spent ${dollarsText(spentNanoDollars, 'up')}${budget}${held}`];
}
