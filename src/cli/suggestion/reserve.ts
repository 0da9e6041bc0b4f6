/** What a provider's `reserve` must be, seen from what it left of the provider's limits. */
import type { LimitUse } from '../../app/progress.ts';

/** A share of every limit in hundredths of a percent, or a count that is taken off each limit. */
export type Reserve = { readonly kind: 'share'; readonly hundredths: number } | { readonly kind: 'count' };

const WHOLE = 10_000n;

/** What a limit counts before anything is reserved: what the provider declares. */
export function figureOf({ declaredAmount, reservedAmount }: LimitUse): number {
  return declaredAmount + reservedAmount;
}

/**
 * The reserve of a provider whose limits, of all its lanes, are these. It is a share where one explains every
 * amount (a count can look like a share where all figures are alike); whole percents come before others.
 */
export function reserveOf(limits: readonly LimitUse[]): Reserve {
  if (limits.every(({ reservedAmount }) => reservedAmount === 0)) return { kind: 'share', hundredths: 0 };
  const [largest] = limits.toSorted((a, b) => figureOf(b) - figureOf(a));
  const share = largest === undefined ? 0 : largest.reservedAmount / figureOf(largest);
  const candidates = [Math.round(share * 100) * 100, Math.floor(share * 10_000), Math.ceil(share * 10_000)];
  const hundredths = candidates.find((candidate) =>
    limits.every((limit) => amountLeft(figureOf(limit), candidate) === limit.declaredAmount),
  );
  return hundredths === undefined ? { kind: 'count' } : { kind: 'share', hundredths };
}

/** The figure to write down so that, less the reserve, this amount of the limit is used. */
export function figureFor(amount: number, limit: LimitUse, reserve: Reserve): number {
  return reserve.kind === 'count' ? amount + limit.reservedAmount : leastFigure(amount, reserve.hundredths);
}

/** As the configuration computes it; never less than 1. */
function amountLeft(figure: number, hundredths: number): number {
  return Math.max(1, Number((BigInt(figure) * (WHOLE - BigInt(hundredths))) / WHOLE));
}

/** The smallest figure of which that amount is left. */
function leastFigure(amount: number, hundredths: number): number {
  const left = WHOLE - BigInt(hundredths);
  return Number((BigInt(amount) * WHOLE + left - 1n) / left);
}
