/** Makes the pools and aliases of the lanes that are on: the user's, the catalog's, and `all`. */
import type { Pool, Provider } from '../core/model.ts';
import { CATALOG_ALIASES, CATALOG_POOLS, catalogProvider } from '../providers/catalog.ts';
import type { Alias } from './config.ts';
import { ALL_POOL } from './references.ts';
import type { ConfigFile } from './schema.ts';

/** Pools and aliases, and what had to be left out of them. */
export interface NamedLanes {
  readonly pools: readonly Pool[];
  readonly aliases: readonly Alias[];
  readonly warnings: readonly string[];
}

/** What the names are made of. */
export interface NamingInput {
  readonly file: ConfigFile;
  readonly providers: readonly Provider[];
  /** Every name of every declared lane, with the lane's id. */
  readonly laneNames: ReadonlyMap<string, string>;
}

/**
 * The pools, in the order user's, catalog's, `all`, and the aliases.
 *
 * - Lanes that are not on are left out; a user's pool or alias that is left with none is dropped, with a warning.
 * - A catalog pool that the user defines is the user's. The others hold no paid lane: `small` ends with the
 *   user's own unpaid lanes; `large` stands for `small` when none of its lanes is on, with a warning.
 * - A catalog alias steps back for anything of the user's with that name, a model of a lane included.
 */
export function nameLanes(input: NamingInput): NamedLanes {
  const users = userPools(input);
  const taken = new Set(Object.keys(input.file.pools ?? {}));
  const all = { name: ALL_POOL, laneIds: unpaidLanes(input.providers) };
  const shipped = catalogPools(input.providers).filter(({ pool }) => !taken.has(pool.name));
  const pools = [...users.pools, ...shipped.map(({ pool }) => pool), all].filter(
    ({ laneIds }) => laneIds.length > 0,
  );
  const aliases = userAliases(input, pools);
  const warnings = [...users.warnings, ...shipped.flatMap(({ warning }) => warning), ...aliases.warnings];
  return { pools, aliases: [...aliases.aliases, ...catalogAliases(input, pools)], warnings };
}

function userPools({ file, providers, laneNames }: NamingInput) {
  const on = laneIdsOf(providers);
  const pools = Object.entries(file.pools ?? {}).map(([name, names]) => {
    const laneIds = names.map((lane) => laneNames.get(lane) ?? lane);
    return {
      name,
      laneIds: laneIds.filter((id) => on.has(id)),
      missing: laneIds.filter((id) => !on.has(id)),
    };
  });
  const warnings = pools.flatMap(({ name, laneIds, missing }) => {
    if (missing.length === 0) return [];
    const rest = laneIds.length === 0 ? ', which leaves the pool empty' : '';
    return [`The pool \`${name}\` goes without ${missing.join(', ')}, not on at present${rest}.`];
  });
  return { pools: pools.map(({ name, laneIds }) => ({ name, laneIds })), warnings };
}

function catalogPools(providers: readonly Provider[]) {
  const on = new Set(unpaidLanes(providers));
  const [small, large] = CATALOG_POOLS.map(({ name, laneIds }) => ({
    name,
    laneIds: laneIds.filter((id) => on.has(id)),
  }));
  if (small === undefined || large === undefined) return [];
  const smallest = { ...small, laneIds: [...new Set([...small.laneIds, ...ownLanes(providers)])] };
  const isEmpty = large.laneIds.length === 0;
  const warning = `No lane of the pool \`${large.name}\` is on; it stands for \`${small.name}\`.`;
  return [
    { pool: smallest, warning: [] },
    isEmpty
      ? {
          pool: { ...large, laneIds: smallest.laneIds },
          // With servers of one's own only, nobody expects a catalog pool.
          warning: small.laneIds.length > 0 ? [warning] : [],
        }
      : { pool: large, warning: [] },
  ];
}

/** Lanes that the catalog does not know and that cost nothing. */
function ownLanes(providers: readonly Provider[]): readonly string[] {
  return providers
    .filter(({ tier }) => tier !== 'paid')
    .flatMap(({ id, lanes }) => {
      const known = new Set(catalogProvider(id)?.models.map((model) => `${id}/${model.id}`));
      return lanes.map((lane) => lane.id).filter((laneId) => !known.has(laneId));
    });
}

function unpaidLanes(providers: readonly Provider[]): readonly string[] {
  return providers.filter(({ tier }) => tier !== 'paid').flatMap(({ lanes }) => lanes.map(({ id }) => id));
}

function userAliases({ file, providers, laneNames }: NamingInput, pools: readonly Pool[]) {
  const on = new Set([...laneIdsOf(providers), ...pools.map(({ name }) => name)]);
  const wanted = Object.entries(file.aliases ?? {}).map(([name, target]) => ({
    name,
    target: pools.some((pool) => pool.name === target) ? target : (laneNames.get(target) ?? target),
  }));
  const warnings = wanted
    .filter(({ target }) => !on.has(target))
    .map(({ name, target }) => `The alias \`${name}\` is left out: \`${target}\` is not on at present.`);
  return { aliases: wanted.filter(({ target }) => on.has(target)), warnings };
}

function catalogAliases(
  { file, providers, laneNames }: NamingInput,
  pools: readonly Pool[],
): readonly Alias[] {
  const models = providers.flatMap(({ lanes }) =>
    lanes.flatMap(({ id, model }) => [model, id.slice(id.indexOf('/') + 1)]),
  );
  const taken = new Set([
    ...Object.keys(file.aliases ?? {}),
    ...Object.keys(file.pools ?? {}),
    ...laneNames.keys(),
    ...models,
  ]);
  return Object.entries(CATALOG_ALIASES)
    .map(([name, target]) => ({ name, target }))
    .filter(({ name, target }) => !taken.has(name) && pools.some((pool) => pool.name === target));
}

function laneIdsOf(providers: readonly Provider[]): ReadonlySet<string> {
  return new Set(providers.flatMap(({ lanes }) => lanes.map(({ id }) => id)));
}
