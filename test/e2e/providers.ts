/** Simulated providers for tests, and what their own log says about the calls they got. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import type { CallRecord } from '../../src/simulator/call-log.ts';
import type {
  CalendarUnit,
  SimulatedDialect,
  SimulatedLimit,
  SimulatedTier,
  UnitCost,
} from '../../src/simulator/tier.ts';
import { amountOf } from '../../src/simulator/windows/meter.ts';

/** What differs from one simulated provider to the next. */
export interface ProviderOptions {
  readonly dialect?: SimulatedDialect;
  readonly limits?: readonly SimulatedLimit[];
  /** What a thousand tokens take; needed with limits of units. */
  readonly unitCost?: UnitCost;
  /** Default 5. */
  readonly latencyMs?: number;
  /** Calls at once, enforced. Default 16. */
  readonly concurrency?: number;
  /** Default 16,000. */
  readonly contextTokens?: number;
  /** The key it asks for; none unless said. */
  readonly apiKey?: string;
}

/** The one model of {@link provider}. */
export const MODEL = 'model';

/** A provider with one model. */
export const provider = (id: string, options: ProviderOptions = {}): SimulatedTier => ({
  id,
  dialect: options.dialect ?? 'openai',
  ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
  limits: [],
  models: [
    {
      id: MODEL,
      contextTokens: options.contextTokens ?? 16_000,
      maxOutputTokens: 4_000,
      concurrency: options.concurrency ?? 16,
      ...(options.unitCost === undefined ? {} : { unitCost: options.unitCost }),
      limits: options.limits ?? [],
      latency: { minMs: options.latencyMs ?? 5 },
    },
  ],
});

/** A rolling window. */
export const rolling = (metric: SimulatedLimit['metric'], amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'rolling', perMs },
});

/** A token bucket. */
export const refill = (metric: SimulatedLimit['metric'], amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'refill', perMs },
});

/** Windows counted from an anchor, here the first of January 2026. */
export const fixed = (metric: SimulatedLimit['metric'], amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'fixed', perMs, anchorAtMs: Date.UTC(2026, 0, 1) },
});

/** Windows that open with their first call. */
export const session = (metric: SimulatedLimit['metric'], amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'session', perMs },
});

/** Pacific days. */
export const daily = (metric: SimulatedLimit['metric'], amount: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' },
});

/** Requests per day, week or month of a time zone. */
export const requestsPer = (unit: CalendarUnit, amount: number, timeZone: string): SimulatedLimit => ({
  metric: 'requests',
  amount,
  window: { kind: 'calendar', unit, timeZone },
});

/** What a call took of a limit of this metric, as the provider settled it. */
export const amountTaken = (
  metric: SimulatedLimit['metric'],
  { promptTokens, completionTokens }: CallRecord,
  unitCost?: UnitCost,
): number =>
  amountOf(metric, {
    promptTokens,
    outputTokens: completionTokens,
    ...(unitCost === undefined ? {} : { unitCost }),
  });

/** Ended calls that the provider refused for a limit. */
export const isRefused = ({ outcome }: CallRecord): boolean => outcome.kind === 'rejected';

/** Calls refused for a limit, by the simulator's own count. */
export const refusals = (simulator: RunningSimulator): number => sumOf(simulator, (stats) => stats.rejected);

/** Calls that reached the simulator, ended or not. */
export const callCount = (simulator: RunningSimulator): number => sumOf(simulator, (stats) => stats.calls);

/** Calls that the simulator is answering now. */
export const callsInFlight = (simulator: RunningSimulator): number =>
  sumOf(simulator, (stats) => stats.inFlight);

const sumOf = (
  simulator: RunningSimulator,
  of: (stats: ReturnType<RunningSimulator['stats']>['providers'][string]) => number,
): number =>
  Object.values(simulator.stats().providers)
    .map((stats) => of(stats))
    .reduce((sum, count) => sum + count, 0);

/** A call that the provider has answered is under way until its result is in the record: so long at most. */
const STORING_MS = 150;

/** Calls that were under way at some instant from `fromMs` to `untilMs`, by the provider's own log of ended calls. */
export const callsUnderWay = (simulator: RunningSimulator, fromMs: number, untilMs = fromMs): number =>
  simulator
    .calls()
    .filter(
      ({ arrivedAtMs, durationMs }) =>
        arrivedAtMs <= untilMs && arrivedAtMs + durationMs + STORING_MS >= fromMs,
    ).length;

/** Resolves when the condition holds; rejects after `patienceMs`, saying what was waited for. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = 30_000,
): Promise<void> => {
  const deadlineMs = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadlineMs)
      throw new Error(`Expected ${what} within ${patienceMs} ms, but it did not happen.`);
    await delay(10);
  }
};
