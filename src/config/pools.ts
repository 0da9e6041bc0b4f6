/** Makes the pools and aliases of the lanes that are on: the user's and the ready-made ones. */
import type { Pool, Provider } from '../core/model.ts';
import { CATALOG_ALIASES } from '../providers/catalog.ts';
import type { Alias } from './config.ts';
import { readyPools } from './ready-pools.ts';
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
 * The pools, the user's before the ready-made ones, and the aliases.
 *
 * - Lanes that are not on are left out; a user's pool or alias that is left with none is dropped, with a warning.
 * - A ready-made pool that the user defines is the user's; one without a lane is not there.
 * - A catalog alias steps back for anything of the user's with that name, a model of a lane included.
 */
export function nameLanes(input: NamingInput): NamedLanes {
  const users = userPools(input);
  const taken = new Set(Object.keys(input.file.pools ?? {}));
  const ready = readyPools(input.providers).filter(({ pool }) => !taken.has(pool.name));
  const pools = [...users.pools, ...ready.map(({ pool }) => pool)].filter(
    ({ laneIds }) => laneIds.length > 0,
  );
  const aliases = userAliases(input, pools);
  const warnings = [...users.warnings, ...ready.flatMap((made) => made.warnings), ...aliases.warnings];
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
