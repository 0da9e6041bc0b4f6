/** What planning needs from the outside, and what it leaves for others to read. */
import type { Forecast, Forecasts } from '../core/plan/forecast.ts';
import type { Payment } from '../core/plan/payments.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Situation } from '../core/plan/situation.ts';
import type { ServedLane } from './process-registry.ts';

/** Reads what a plan is made from. */
export interface SituationReader {
  /** How things stand on these lanes, with all that waits for them. Locks nothing. */
  read(served: readonly ServedLane[]): Promise<Situation>;
}

/** Makes plans, away from whoever asks: solving takes some ten milliseconds to a second. */
export interface Planner {
  plan(situation: Situation): Promise<Plan>;
  /** A plan is wanted soon: what takes its time may begin. */
  prepare?(): void;
}

/** What was last reckoned of each batch, for every process to read. */
export interface ForecastBook {
  /** Takes the place of what was said of these batches before. */
  store(forecasts: Forecasts): Promise<void>;
  /** `null` where nobody has said anything of late, or the batch is not being worked on. */
  of(batchId: number): Promise<Forecast | null>;
}

/** What batches with a budget may spend it on. */
export interface Payments {
  /** So many more requests of a batch may be granted on paid lanes; what was allowed before is forgotten. */
  allow(payment: Payment, term: PaymentTerm): Promise<void>;
}

/** From when to when a payment is good, in real milliseconds. */
export interface PaymentTerm {
  /** What it was reckoned from is so old: what was granted on paid lanes since then is part of it. */
  readonly ageMs: number;
  /** It holds for so long from now. */
  readonly forMs: number;
}

/** Time that passes as fast for tests as for everybody; instants are its own. */
export interface RealTime {
  nowMs(): number;
  /** Resolves after so many milliseconds, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
