/** The free tiers of the catalog that are not on, each with what it would bring and how to get its key. */
import { isDeepStrictEqual } from 'node:util';
import type { Candidate } from '../../app/forecast/night-asked-for.ts';
import type { Routing } from '../../app/ports.ts';
import { routingUnder } from '../../app/batch-policy.ts';
import type { Config } from '../../config/config.ts';
import { PRIVATE_POOL, readyPools } from '../../config/ready-pools.ts';
import type { Policy } from '../../core/policy.ts';
import type { CatalogProvider } from '../../providers/catalog-provider.ts';
import { CATALOG, CATALOG_POOLS } from '../../providers/catalog.ts';
import { routingOf } from '../../routing.ts';

/** A candidate, and what to tell a person of it. */
export interface FreeTier extends Candidate {
  readonly catalog: CatalogProvider;
}

/** Free tiers with models that work for anybody, in the catalog's order, less those that are on or were switched off. */
export function freeTiersBeside(config: Config, on: Routing): readonly CatalogProvider[] {
  const switchedOff = new Set(
    config.unavailable.flatMap(({ kind, providerId }) => (kind === 'switched-off' ? [providerId] : [])),
  );
  return CATALOG.filter(
    ({ id, tier, status, models }) =>
      tier === 'free' &&
      status === 'active' &&
      models.length > 0 &&
      on.provider(id) === undefined &&
      !switchedOff.has(id),
  );
}

/** What each of them would bring under this policy. */
export function candidatesOf(
  tiers: readonly CatalogProvider[],
  config: Config,
  policy: Policy | null,
): readonly FreeTier[] {
  return tiers.flatMap((catalog) => {
    const routing = routingOf(config.adding(new Set([catalog.id])));
    const provider = routing.provider(catalog.id);
    if (provider === undefined) return [];
    const laneIdsOf = (name: string): readonly string[] =>
      laneIdsIn(routingUnder({ policy, maxCostNanoDollars: null }, withListed(routing, catalog.id)), name);
    return [{ catalog, provider, laneIdsOf }];
  });
}

/** The lanes that a name stands for and that may be called without being paid for. */
export function laneIdsIn(routing: Routing, name: string): readonly string[] {
  return routing
    .lanesOf(name)
    .filter(({ providerId }) => routing.provider(providerId)?.tier !== 'paid')
    .map(({ id }) => id);
}

/**
 * A pool of the user's own lists its lanes: whoever adds a provider would list those that suit bulk work, too. Not so in
 * `private`, whatever is in it, and the other ready-made pools say themselves what belongs there.
 */
function withListed(routing: Routing, providerId: string): Routing {
  const isTheirs = (laneId: string): boolean => laneId.startsWith(`${providerId}/`);
  const listed = CATALOG_POOLS.filter(({ name }) => name === 'small')
    .flatMap(({ laneIds }) => laneIds)
    .filter(isTheirs);
  const ready = readyPools(routing.providers).map(({ pool }) => pool);
  const own = routing.pools.filter(
    (pool) =>
      pool.name !== PRIVATE_POOL &&
      !ready.some(({ name, laneIds }) => name === pool.name && isDeepStrictEqual(laneIds, pool.laneIds)),
  );
  return {
    ...routing,
    lanesOf(name) {
      const lanes = routing.lanesOf(name);
      const laneIds = lanes.map(({ id }) => id);
      const isOwnPool =
        routing.lane(name) === undefined && own.some((pool) => isDeepStrictEqual(pool.laneIds, laneIds));
      if (!isOwnPool || laneIds.some(isTheirs)) return lanes;
      return [...lanes, ...listed.flatMap((laneId) => routing.lane(laneId) ?? [])];
    },
  };
}
