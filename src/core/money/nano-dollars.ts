/**
 * Amounts of money, in whole billionths of a US dollar, read from texts and written as texts. Pure, and exact: no amount is
 * ever a fraction of a float.
 */

/** Billionths in a dollar. */
export const NANO_DOLLARS_PER_DOLLAR = 1_000_000_000;

/** No amount is larger, in dollars: sums of thousands of them are still exact as numbers. */
export const MOST_DOLLARS = 1_000_000;

/** At most as many decimals of a dollar, so that a millionth of a token's price is still whole billionths. */
const MOST_DECIMALS = 6;

const DECIMALS_OF_NANO = 9;
const DOLLARS = new RegExp(`^(\\d{1,7})(?:\\.(\\d{1,${MOST_DECIMALS}}))?$`, 'u');

/** What {@link parseDollars} takes, in words. */
export const DOLLARS_FORM = `dollars from 0.000001 to ${MOST_DOLLARS}, with at most ${MOST_DECIMALS} decimals, such as 2.50`;

/** `2.50` in billionths; `null` unless it is a plain decimal of at most 6 decimals and {@link MOST_DOLLARS}. 0 is an amount. */
export function parseDollars(text: string): number | null {
  const [, whole, fraction = ''] = DOLLARS.exec(text) ?? [];
  if (whole === undefined) return null;
  const nanoDollars =
    Number(whole) * NANO_DOLLARS_PER_DOLLAR + Number(fraction.padEnd(DECIMALS_OF_NANO, '0'));
  return nanoDollars <= MOST_DOLLARS * NANO_DOLLARS_PER_DOLLAR ? nanoDollars : null;
}

/** The amount as {@link parseDollars} reads it, with no more decimals than it has: `2.5`, `0.000001`. */
export function plainDollars(nanoDollars: number): string {
  const { whole, fraction } = digitsOf(nanoDollars);
  const shown = trimZeros(fraction);
  return shown === '' ? whole : `${whole}.${shown}`;
}

/** The whole amount for people, with as many decimals as it has and two at least: `$2.50`, `$0.000125`. */
export function exactDollarsText(nanoDollars: number): string {
  const { whole, fraction } = digitsOf(nanoDollars);
  return `$${withCommas(whole)}.${trimZeros(fraction).padEnd(2, '0')}`;
}

/**
 * The amount for people, in cents, or below ten cents in two figures: `$2.50`, `$0.042`, `$0.0031`. What is left over is
 * rounded away from what would please: up for what was spent, down for what was saved.
 */
export function dollarsText(nanoDollars: number, rounding: 'up' | 'down'): string {
  const step = nanoDollarsPerStep(nanoDollars);
  const steps = nanoDollars / step;
  return exactDollarsText((rounding === 'up' ? Math.ceil(steps) : Math.floor(steps)) * step);
}

const CENT = NANO_DOLLARS_PER_DOLLAR / 100;

/** A cent, or what the second figure of a smaller amount counts. */
function nanoDollarsPerStep(nanoDollars: number): number {
  if (nanoDollars >= CENT * 10) return CENT;
  return 10 ** Math.max(0, String(nanoDollars).length - 2);
}

function digitsOf(nanoDollars: number) {
  const digits = String(nanoDollars).padStart(DECIMALS_OF_NANO + 1, '0');
  return { whole: digits.slice(0, -DECIMALS_OF_NANO), fraction: digits.slice(-DECIMALS_OF_NANO) };
}

function trimZeros(fraction: string): string {
  return fraction.replace(/0+$/u, '');
}

function withCommas(whole: string): string {
  return whole.replaceAll(/\B(?=(?:\d{3})+$)/gu, ',');
}
