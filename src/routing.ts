/** Looks lanes, providers and names up in a configuration. */
import type { Routing } from './app/ports.ts';
import type { Config } from './config/config.ts';
import { resolveModel } from './config/resolve-model.ts';
import type { Lane } from './core/model.ts';
import type { NamedPrice } from './core/money/price.ts';
import { CATALOG_PRICES } from './providers/prices.ts';

/** The {@link Routing} of a configuration. */
export const routingOf = (config: Config): Routing => {
  const lanes = new Map(
    config.providers.flatMap((provider) => provider.lanes).map((lane) => [lane.id, lane]),
  );
  const providers = new Map(config.providers.map((provider) => [provider.id, provider]));
  return {
    providers: config.providers,
    pools: config.pools,
    prices: pricesOf(lanes.values()),
    lane: (laneId) => lanes.get(laneId),
    provider: (providerId) => providers.get(providerId),
    resolveModel: (name) => {
      const found = resolveModel(config, name);
      return found.kind === 'lanes' ? found : { kind: 'unknown', nearest: found.nearest };
    },
    lanesOf: (name) => {
      const found = resolveModel(config, name);
      if (found.kind === 'not-found') return [];
      return found.laneIds
        .map((laneId) => lanes.get(laneId))
        .filter((lane): lane is Lane => lane !== undefined);
    },
  };
};

/** The prices of these lanes; the catalog's where none has one. */
const pricesOf = (lanes: Iterable<Lane>): readonly NamedPrice[] => {
  const priced = [...lanes].flatMap(({ id, price }) => (price === undefined ? [] : [{ name: id, price }]));
  return priced.length > 0 ? priced : CATALOG_PRICES;
};
