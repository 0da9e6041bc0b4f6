/** Time and chance of the simulator, both given from outside so that a test can say what they are. */

/** Unix epoch milliseconds, fractions allowed; must not run backwards. */
export interface Clock {
  nowMs(): number;
}

/** The machine's clock that no adjustment of the wall clock can turn back. */
export const steadyClock: Clock = { nowMs: () => performance.timeOrigin + performance.now() };

/** The next number in [0, 1). */
export type Random01 = () => number;

/** The same sequence for the same seed, on every machine (mulberry32: 32 bits of state, enough for jitter). */
export function seededRandom(seed: number): Random01 {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
