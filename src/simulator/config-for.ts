/** The configuration that points Nightshift at simulated tiers, as the plain object of a `nightshift.yaml`. */
import { durationText } from './describe-limit.ts';
import type { CalendarUnit, SimulatedLimit, SimulatedModel, SimulatedTier, UnitCost } from './tier.ts';

/** One limit as the yaml has it. `per` is a duration such as `1500ms`, `60s`, `1d` or `1month`. */
export interface LimitEntry {
  readonly requests?: number;
  readonly tokens?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly units?: number;
  readonly per: string;
  readonly window: 'rolling' | 'refill' | 'fixed' | 'calendar' | 'session';
  readonly timeZone?: string;
  /** ISO 8601 instant in UTC. */
  readonly anchor?: string;
}

/** One model as the yaml has it. */
export interface ModelEntry {
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly concurrency: number;
  readonly unitCost?: UnitCost;
  readonly limits: readonly LimitEntry[];
}

/** One provider as the yaml has it. */
export interface ProviderEntry {
  readonly baseUrl: string;
  readonly apiKeyEnv?: string;
  readonly tier: 'free' | 'local';
  readonly trainsOnData: false;
  readonly dialect: string;
  readonly concurrency?: number;
  readonly refusesParameters?: readonly string[];
  readonly limits: readonly LimitEntry[];
  readonly models: Readonly<Record<string, ModelEntry>>;
}

/** The whole file; the pool `small` has every lane, in the order of the tiers. */
export interface SimulatorConfig {
  readonly providers: Readonly<Record<string, ProviderEntry>>;
  readonly pools: { readonly small: readonly string[] };
}

/** Calls at once on a model whose tier has no bound of its own. */
const UNBOUNDED_MODEL_CONCURRENCY = 16;

/**
 * A configuration with exactly the limits of the tiers. Tiers with a key need `apiKeyEnv`, the name of the
 * variable that holds it, and are then `free`; the others are `local`.
 */
export function configFor(
  simulatorUrl: string,
  tiers: readonly SimulatedTier[],
  apiKeyEnv?: string,
): SimulatorConfig {
  const providers = tiers.map((tier) => [tier.id, providerEntry(simulatorUrl, tier, apiKeyEnv)] as const);
  const small = tiers.flatMap((tier) => tier.models.map((model) => `${tier.id}/${model.id}`));
  return { providers: Object.fromEntries(providers), pools: { small } };
}

function providerEntry(
  simulatorUrl: string,
  tier: SimulatedTier,
  apiKeyEnv: string | undefined,
): ProviderEntry {
  return {
    baseUrl: `${simulatorUrl}/${tier.id}/v1`,
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    tier: apiKeyEnv === undefined ? 'local' : 'free',
    trainsOnData: false,
    dialect: tier.dialect,
    ...(tier.concurrency === undefined ? {} : { concurrency: tier.concurrency }),
    ...(tier.refusesParameters === undefined ? {} : { refusesParameters: tier.refusesParameters }),
    limits: tier.limits.map(limitEntry),
    models: Object.fromEntries(tier.models.map((model) => [model.id, modelEntry(model, tier)])),
  };
}

function modelEntry(model: SimulatedModel, tier: SimulatedTier): ModelEntry {
  return {
    contextTokens: model.contextTokens,
    maxOutputTokens: model.maxOutputTokens,
    concurrency: model.concurrency ?? tier.concurrency ?? UNBOUNDED_MODEL_CONCURRENCY,
    ...(model.unitCost === undefined ? {} : { unitCost: model.unitCost }),
    limits: model.limits.map(limitEntry),
  };
}

function limitEntry({ metric, amount, window }: SimulatedLimit): LimitEntry {
  const counted = { [metric]: amount };
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'session':
      return { ...counted, per: durationText(window.perMs), window: window.kind };
    case 'fixed':
      return {
        ...counted,
        per: durationText(window.perMs),
        window: 'fixed',
        anchor: isoInstant(window.anchorAtMs),
      };
    case 'fixed-month': {
      const { timeZone } = window;
      return { ...counted, per: '1month', window: 'fixed', anchor: isoInstant(window.anchorAtMs), timeZone };
    }
    case 'calendar':
      return {
        ...counted,
        per: CALENDAR_PERIODS[window.unit],
        window: 'calendar',
        timeZone: window.timeZone,
      };
  }
}

const CALENDAR_PERIODS: Readonly<Record<CalendarUnit, string>> = { day: '1d', week: '7d', month: '1month' };

function isoInstant(atMs: number): string {
  return new Date(atMs).toISOString();
}
