/** Small nights for tests, whose answer is known by hand. */
import type { SimulatedLimit, SimulatedTier } from '../../src/simulator/tier.ts';
import type { Night, NightDocument } from '../../scripts/night/night.ts';

/** What differs from one lane to the next. */
export interface LaneOptions {
  readonly limits?: readonly SimulatedLimit[];
  /** Default 1,000. */
  readonly callMs?: number;
  readonly concurrency?: number;
  /** Default 100,000. */
  readonly contextTokens?: number;
}

/** A provider with one lane, `id/model`. */
export const laneOf = (id: string, options: LaneOptions = {}): SimulatedTier => {
  const { limits = [], callMs = 1_000, concurrency, contextTokens = 100_000 } = options;
  return {
    id,
    dialect: 'openai',
    limits: [],
    models: [
      {
        id: 'model',
        contextTokens,
        maxOutputTokens: 4_000,
        limits,
        latency: { minMs: callMs },
        ...(concurrency === undefined ? {} : { concurrency }),
      },
    ],
  };
};

/** Documents of one size: prompt and answer together, the answer a tenth of it. */
export const alikeDocuments = (count: number, tokens: number, prefix = 'd'): readonly NightDocument[] => {
  const answerTokens = Math.round(tokens / 10);
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}${index}`,
    promptTokens: tokens - answerTokens,
    answerTokens,
    capTokens: answerTokens,
  }));
};

/** A night that begins at an hour of UTC with no boundary near. */
export const nightOf = (
  tiers: readonly SimulatedTier[],
  documents: readonly NightDocument[],
  rest: Partial<Pick<Night, 'startsAtMs' | 'faults' | 'deadlineMs'>> = {},
): Night => ({
  shape: 'by hand',
  seed: 0,
  startsAtMs: Date.UTC(2026, 10, 20, 12, 0),
  faults: [],
  deadlineMs: null,
  tiers,
  documents,
  ...rest,
});
