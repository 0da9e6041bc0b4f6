/** What a running simulator knows: per provider and model the meters, the calls under way and the tally. */
import type { CallLog, Outcome } from './call-log.ts';
import type { Clock, Random01 } from './clock.ts';
import type { Dialect } from './dialects/dialect.ts';
import { DIALECTS } from './dialects/dialects.ts';
import type { FaultBook } from './faults/fault.ts';
import type { CallSize, Meter } from './windows/meter.ts';
import { meterFor } from './windows/meter.ts';
import type { SimulatedModel, SimulatedTier } from './tier.ts';

/** Counts of what became of calls. */
export interface Tally {
  calls: number;
  succeeded: number;
  rejected: number;
  failed: number;
  readonly rejectedByLimit: Map<string, number>;
  readonly failedByKind: Map<string, number>;
  promptTokens: number;
  completionTokens: number;
  /** Admitted calls under way. */
  inFlight: number;
  peakConcurrency: number;
}

/** One model at work. */
export interface ModelState {
  readonly model: SimulatedModel;
  readonly ownMeters: readonly Meter[];
  /** Its own meters and then its provider's: all that a call must pass. */
  readonly meters: readonly Meter[];
  readonly tally: Tally;
}

/** One provider at work. */
export interface ProviderState {
  readonly tier: SimulatedTier;
  readonly dialect: Dialect;
  readonly meters: readonly Meter[];
  readonly tally: Tally;
  readonly models: ReadonlyMap<string, ModelState>;
  /** When the first call was judged, or null. */
  firstCallAtMs: number | null;
}

/** Everything a call needs. */
export interface World {
  readonly clock: Clock;
  readonly startedAtMs: number;
  readonly providers: ReadonlyMap<string, ProviderState>;
  readonly faults: FaultBook;
  readonly log: CallLog;
  readonly jitter01: Random01;
  /** Admitted calls so far; numbers the answers. */
  admitted: number;
}

/** A tier with nothing used yet. */
export function providerState(tier: SimulatedTier): ProviderState {
  const meters = tier.limits.map(meterFor);
  const models = new Map(tier.models.map((model) => [model.id, modelState(model, meters)]));
  return { tier, dialect: DIALECTS[tier.dialect], meters, tally: emptyTally(), models, firstCallAtMs: null };
}

function modelState(model: SimulatedModel, shared: readonly Meter[]): ModelState {
  const ownMeters = model.limits.map(meterFor);
  return { model, ownMeters, meters: [...ownMeters, ...shared], tally: emptyTally() };
}

function emptyTally(): Tally {
  return {
    calls: 0,
    succeeded: 0,
    rejected: 0,
    failed: 0,
    rejectedByLimit: new Map(),
    failedByKind: new Map(),
    promptTokens: 0,
    completionTokens: 0,
    inFlight: 0,
    peakConcurrency: 0,
  };
}

/** Notes that an admitted call began. */
export function enter(tallies: readonly Tally[]): void {
  for (const tally of tallies) {
    tally.inFlight += 1;
    tally.peakConcurrency = Math.max(tally.peakConcurrency, tally.inFlight);
  }
}

/** Notes that an admitted call ended. */
export function leave(tallies: readonly Tally[]): void {
  for (const tally of tallies) tally.inFlight -= 1;
}

/** Notes what became of a call. */
export function note(tallies: readonly Tally[], outcome: Outcome, used: CallSize): void {
  for (const tally of tallies) {
    tally[outcome.kind] += 1;
    tally.promptTokens += used.promptTokens;
    tally.completionTokens += used.outputTokens;
    if (outcome.kind === 'rejected') increment(tally.rejectedByLimit, outcome.limit);
    if (outcome.kind === 'failed') increment(tally.failedByKind, outcome.failure);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
