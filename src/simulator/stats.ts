/** The state of the simulated tiers as plain data, for `GET /_/stats`, tests and the closing table. */
import { describeLimit } from './describe-limit.ts';
import type { Meter } from './windows/meter.ts';
import { partsOf } from './windows/meter.ts';
import type { ModelState, ProviderState, Tally, World } from './state.ts';
import type { SimulatedMetric } from './tier.ts';

/** One limit and how it was used. */
export interface LimitStats {
  readonly limit: string;
  readonly metric: SimulatedMetric;
  /** Of now: it may have been changed. */
  readonly amount: number;
  /** The most ever used in any one window by the limit's own count, up-front charges included; never over the amount of then. */
  readonly peakUsed: number;
  /** All that was ever counted, settled. */
  readonly used: number;
  /** Calls refused because of this limit (the one with the longest wait, if several lacked room). */
  readonly rejected: number;
  /** `used / (amount x windows since the provider's first call)`, 0 to 1. */
  readonly share: number;
}

/** Counts of calls; `calls` = succeeded + rejected + failed + inFlight. */
export interface CallStats {
  readonly calls: number;
  readonly succeeded: number;
  /** 429s for a limit of the tier. Injected ones are failures. */
  readonly rejected: number;
  readonly rejectedByLimit: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly failedByKind: Readonly<Record<string, number>>;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly inFlight: number;
  readonly peakConcurrency: number;
  readonly limits: readonly LimitStats[];
}

/** A provider: calls for unknown models are counted here alone. */
export interface ProviderStats extends CallStats {
  readonly models: Readonly<Record<string, CallStats>>;
}

/** Everything at one instant. */
export interface SimulatorStats {
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly providers: Readonly<Record<string, ProviderStats>>;
}

/** Reads the state; changes nothing. */
export function statsOf(world: World): SimulatorStats {
  const nowMs = world.clock.nowMs();
  const providers = [...world.providers].map(
    ([id, provider]) => [id, providerStats(provider, nowMs)] as const,
  );
  return { startedAtMs: world.startedAtMs, nowMs, providers: Object.fromEntries(providers) };
}

function providerStats(provider: ProviderState, nowMs: number): ProviderStats {
  const firstCallAtMs = provider.firstCallAtMs ?? nowMs;
  const models = [...provider.models].map(
    ([id, model]) => [id, modelStats(model, firstCallAtMs, nowMs)] as const,
  );
  const limits = provider.meters.map((meter) => limitStats(meter, firstCallAtMs, nowMs));
  return { ...callStats(provider.tally), limits, models: Object.fromEntries(models) };
}

function modelStats(state: ModelState, firstCallAtMs: number, nowMs: number): CallStats {
  const limits = state.ownMeters.map((meter) => limitStats(meter, firstCallAtMs, nowMs));
  return { ...callStats(state.tally), limits };
}

function callStats(tally: Tally): Omit<CallStats, 'limits'> {
  const { rejectedByLimit, failedByKind, ...counts } = tally;
  return {
    ...counts,
    rejectedByLimit: Object.fromEntries(rejectedByLimit),
    failedByKind: Object.fromEntries(failedByKind),
  };
}

function limitStats(meter: Meter, firstCallAtMs: number, nowMs: number): LimitStats {
  const { limit, count, rejected } = meter;
  const { metric, amount } = limit;
  const used = meter.totalUsed / partsOf(metric);
  const share = used / (amount * count.windowsFrom(firstCallAtMs, nowMs));
  const peakUsed = meter.peakUsed / partsOf(metric);
  return { limit: describeLimit(limit), metric, amount, peakUsed, used, rejected, share };
}
