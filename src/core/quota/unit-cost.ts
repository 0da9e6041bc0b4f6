/** What calls take in a provider's own units, such as Cloudflare's neurons. */
import type { TokenEstimate, UnitCost } from '../model.ts';

/** Limits of units are kept in thousandths of one, so that many small calls add up exactly. */
export const THOUSANDTHS = 1_000;

/** What a call takes, in thousandths of a unit, rounded up: a thousand tokens at a cost of 1 take 1,000 of them. */
export const thousandthsOf = (
  cost: UnitCost | undefined,
  { promptTokens, outputTokens }: TokenEstimate,
): number => (cost === undefined ? 0 : Math.ceil(promptTokens * cost.input + outputTokens * cost.output));
