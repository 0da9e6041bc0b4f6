/** What calls cost, exactly: the same arithmetic as in the record (`cost_of` in functions/budget.sql). Pure. */
import type { Price, TokenUsage } from '../model.ts';
import { NANO_DOLLARS_PER_DOLLAR } from './nano-dollars.ts';

/** Prices are for so many tokens. */
const TOKENS_PER_PRICE = 1_000_000n;

/**
 * What tokens cost, in billionths of a dollar, rounded up. `calls` is how many calls made them; 0 leaves the price of a call
 * out.
 */
export function costNanoDollars(price: Price, usage: TokenUsage, calls = 1): number {
  const { inputNanoDollarsPerMillion, outputNanoDollarsPerMillion, requestNanoDollars } = price;
  const product =
    BigInt(usage.promptTokens) * BigInt(inputNanoDollarsPerMillion) +
    BigInt(usage.completionTokens) * BigInt(outputNanoDollarsPerMillion);
  return Number((product + TOKENS_PER_PRICE - 1n) / TOKENS_PER_PRICE) + calls * requestNanoDollars;
}

/**
 * The price as OpenRouter takes it for `max_price`: dollars per million tokens, and per call
 * (https://openrouter.ai/docs/guides/routing/provider-selection).
 */
export function openRouterPrice(price: Price) {
  return {
    prompt: price.inputNanoDollarsPerMillion / NANO_DOLLARS_PER_DOLLAR,
    completion: price.outputNanoDollarsPerMillion / NANO_DOLLARS_PER_DOLLAR,
    request: price.requestNanoDollars / NANO_DOLLARS_PER_DOLLAR,
  };
}

/** A price with the name of whose it is. */
export interface NamedPrice {
  /** A lane: `openai/gpt-4o-mini`. */
  readonly name: string;
  readonly price: Price;
}

/** What lines would have cost elsewhere, less what they did cost. */
export interface Savings {
  /** The lane that they would have cost least on. */
  readonly against: string;
  /** Never below 0. */
  readonly nanoDollars: number;
}

/** What came of a batch so far. */
export interface Work extends TokenUsage {
  /** Calls that made those tokens. */
  readonly calls: number;
  readonly spentNanoDollars: number;
}

/**
 * What work saved against the cheapest of these prices; `null` without a price. What was spent on other prices is taken off,
 * so nothing that was paid for counts as saved.
 */
export function savingsOf(work: Work, prices: readonly NamedPrice[]): Savings | null {
  const worth = prices.map(({ name, price }) => ({ name, cost: costNanoDollars(price, work, work.calls) }));
  const [first, ...others] = worth;
  if (first === undefined) return null;
  const cheapest = others.reduce((least, other) => (other.cost < least.cost ? other : least), first);
  return { against: cheapest.name, nanoDollars: Math.max(0, cheapest.cost - work.spentNanoDollars) };
}
