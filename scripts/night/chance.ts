/** Chance with a seed, in the shapes that nights are made of: the same for the same seed. */
import { seededRandom } from '../../src/simulator/clock.ts';

/** How far amounts of one seed are from those of another. */
const SPREAD = 0.2;

/** A source of chance; each call draws anew. */
export interface Chance {
  /** Evenly from `low` (inclusive) to `high`. */
  between(low: number, high: number): number;
  /** A whole number within 20 % of `value`, at least 1. */
  about(value: number): number;
  /** Log-normal, with half of the draws below `median`; `sigma` is that of the logarithm. */
  logNormal(median: number, sigma: number): number;
  /** One of them. */
  oneOf<T>(values: readonly [T, ...T[]]): T;
  /** So many of them, in their order. */
  someOf<T>(count: number, values: readonly T[]): readonly T[];
}

/** The chance of a seed. */
export const chanceOf = (seed: number): Chance => {
  // Neighbouring seeds begin alike; a few draws in, they do not.
  const random01 = seededRandom(seed * 7_919 + 17);
  for (let draw = 0; draw < 8; draw += 1) random01();
  const between = (low: number, high: number): number => low + (high - low) * random01();
  return {
    between,
    about: (value) => Math.max(1, Math.round(value * between(1 - SPREAD, 1 + SPREAD))),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal(random01)),
    oneOf: (values) => values[Math.floor(random01() * values.length)] ?? values[0],
    someOf: (count, values) =>
      values
        .map((value, index) => ({ value, index, lot: random01() }))
        .toSorted((a, b) => a.lot - b.lot)
        .slice(0, count)
        .toSorted((a, b) => a.index - b.index)
        .map(({ value }) => value),
  };
};

/** Standard normal, by Box and Muller. */
const normal = (random01: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random01())) * Math.cos(2 * Math.PI * random01());
