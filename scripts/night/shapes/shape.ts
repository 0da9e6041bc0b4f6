/** What a shape of night is, and what all of them share. */
import type { FaultRule } from '../../../src/simulator/faults/fault.ts';
import type { SimulatedLimit, SimulatedModel, SimulatedTier, UnitCost } from '../../../src/simulator/tier.ts';
import type { Chance } from '../chance.ts';
import { MINUTE_MS } from '../limits.ts';
import type { Night } from '../night.ts';

/** What of a night its shape decides. */
export type ShapedNight = Omit<Night, 'shape' | 'seed'>;

/** What a shape is given. */
export interface ShapeOptions {
  readonly chance: Chance;
  /** Part of the full night: fewer documents, long windows with less in them, everything sooner. */
  readonly scale: number;
}

/** Makes a night. */
export type Shape = (options: ShapeOptions) => ShapedNight;

/** What differs from one model of a tier to the next. */
export interface ModelOptions {
  readonly contextTokens?: number;
  readonly concurrency?: number;
  readonly limits?: readonly SimulatedLimit[];
  readonly unitCost?: UnitCost;
  /** How long a call takes at least, and how much of it each token of the answer adds. */
  readonly minMs?: number;
  readonly perOutputTokenMs?: number;
}

const MAX_OUTPUT_TOKENS = 4_096;

/** The programme of the least possible time knows no jitter, which must therefore be small beside long calls. */
const LONGEST_JITTER_MS = 2_000;

/** A model; how long its calls take varies by a fifth of the shortest, two seconds at most. */
export const modelOf = (id: string, options: ModelOptions = {}): SimulatedModel => {
  const { contextTokens = 131_072, concurrency = 4, limits = [], unitCost } = options;
  const { minMs = 1_200, perOutputTokenMs = 8 } = options;
  return {
    id,
    contextTokens,
    maxOutputTokens: MAX_OUTPUT_TOKENS,
    concurrency,
    limits,
    latency: { minMs, perOutputTokenMs, jitterMs: Math.min(LONGEST_JITTER_MS, Math.round(minMs / 5)) },
    ...(unitCost === undefined ? {} : { unitCost }),
  };
};

/** A tier with one model, whose limits are the model's. */
export const tierOf = (
  id: string,
  options: ModelOptions & { readonly dialect?: SimulatedTier['dialect'] } = {},
): SimulatedTier => ({
  id,
  dialect: options.dialect ?? 'openai',
  limits: [],
  models: [modelOf('model', options)],
});

/** 500s and 503s together, of all calls. */
const FAILED_RATIO = 0.015;
const SLOW_RATIO = 0.01;
const SLOWER_BY_MS = 20_000;

/** One call in a hundred that takes long, and three in two hundred that fail. */
export const randomFaults: readonly FaultRule[] = [
  { provider: '*', kind: 'http-500', probability: FAILED_RATIO / 2 },
  { provider: '*', kind: 'http-503', probability: FAILED_RATIO / 2 },
  { provider: '*', kind: 'slow', probability: SLOW_RATIO, latencyMs: SLOWER_BY_MS },
];

const DEAD_MS = 20 * MINUTE_MS;

/** A provider that is dead for 20 minutes from some instant on. */
export const deadFor = (provider: string, fromMs: number, scale: number): FaultRule => ({
  provider,
  kind: 'dead',
  fromMs: Math.round(fromMs * scale),
  untilMs: Math.round((fromMs + DEAD_MS) * scale),
});

/** An evening in November, in UTC: no calendar boundary but midnight in Los Angeles, at 08:00, is near. */
export const EVENING_AT_MS = Date.UTC(2026, 10, 21, 4, 0);
