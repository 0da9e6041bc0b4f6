/** The lanes of a night as the product would know them from a configuration: what is declared is the truth. */
import type { Lane, Limit, Provider } from '../../../src/core/model.ts';
import type { SimulatedLatency, SimulatedLimit } from '../../../src/simulator/tier.ts';
import type { Night } from '../night.ts';

/** A lane, its provider, and how long its answers really take. */
export interface NightLane {
  readonly lane: Lane;
  readonly provider: Provider;
  readonly latency: SimulatedLatency;
}

/** Calls at once on a model whose tier has no bound of its own, as in the configuration the simulator writes. */
const UNBOUNDED_CONCURRENCY = 16;

/** In the order of the tiers. */
export const lanesOf = ({ tiers }: Night): readonly NightLane[] =>
  tiers.flatMap((tier) => {
    const lanes = tier.models.map((model): Lane => {
      const { contextTokens, maxOutputTokens, unitCost } = model;
      return {
        id: `${tier.id}/${model.id}`,
        providerId: tier.id,
        model: model.id,
        contextTokens,
        maxOutputTokens,
        concurrency: model.concurrency ?? tier.concurrency ?? UNBOUNDED_CONCURRENCY,
        timeoutMs: 120_000,
        limits: model.limits.map(limitOf),
        ...(unitCost === undefined ? {} : { unitCost }),
      };
    });
    const provider: Provider = {
      id: tier.id,
      baseUrl: 'http://127.0.0.1/v1',
      tier: 'free',
      trainsOnData: false,
      dialect: tier.dialect,
      concurrency: tier.concurrency ?? null,
      limits: tier.limits.map(limitOf),
      refusesParameters: [],
      lanes,
    };
    return lanes.map((lane, index) => ({
      lane,
      provider,
      latency: tier.models[index]?.latency ?? { minMs: 0 },
    }));
  });

const limitOf = ({ metric, amount, window }: SimulatedLimit): Limit => ({ metric, amount, window });
