/** Time and chance of the simulator, both given from outside so that a test can say what they are. */

/** Unix epoch milliseconds, fractions allowed; must not run backwards. */
export interface Clock {
  nowMs(): number;
}

/** The machine's clock that no adjustment of the wall clock can turn back. */
export const steadyClock: Clock = { nowMs: () => performance.timeOrigin + performance.now() };

/** A clock that says `originMs` when the machine's says `realOriginMs`, and runs `rate` times as fast. */
export interface ClockSetting {
  readonly realOriginMs: number;
  readonly originMs: number;
  readonly rate: number;
}

/** The machine's clock, moved and sped up: months in minutes. Latencies stay real. Throws for a rate of 0 or less. */
export function acceleratedClock({ realOriginMs, originMs, rate }: ClockSetting): Clock {
  if (!(rate > 0)) throw new Error(`Expected \`rate\` to be more than 0, got ${rate}.`);
  return { nowMs: () => originMs + (steadyClock.nowMs() - realOriginMs) * rate };
}

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
