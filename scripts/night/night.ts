/** What a night is made of, for the simulation and for the benchmark: tiers, documents, faults. Data, no behaviour. */
import type { FaultRule } from '../../src/simulator/faults/fault.ts';
import type { SimulatedTier } from '../../src/simulator/tier.ts';

/** One document as its call turns out, by the simulator's own tokens. */
export interface NightDocument {
  readonly id: string;
  /** All of the prompt, instructions and message overhead included. */
  readonly promptTokens: number;
  /** What the answer takes; at most `capTokens`. */
  readonly answerTokens: number;
  /** The `max_tokens` of its call. */
  readonly capTokens: number;
}

/** A night to be run. All durations and instants are in the night's own time, however fast its clock runs. */
export interface Night {
  /** What the shape is called: `mixed`, `token-bound`, ... */
  readonly shape: string;
  readonly seed: number;
  /** When it begins; calendar windows and anchors refer to it. */
  readonly startsAtMs: number;
  /** The truth, which is also what is declared; latencies included. */
  readonly tiers: readonly SimulatedTier[];
  /** In the order of the file. */
  readonly documents: readonly NightDocument[];
  /** `fromMs` and `untilMs` count from `startsAtMs`. */
  readonly faults: readonly FaultRule[];
  /** By when it should be done, from its beginning; `null` for no deadline. */
  readonly deadlineMs: number | null;
}
