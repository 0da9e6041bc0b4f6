/** The pools that are there without being listed: `small` and `large` of the catalog, `private` and `all`. None holds a paid lane. */
import type { Pool, Provider } from '../core/model.ts';
import { keepsFromTraining } from '../core/policy.ts';
import { CATALOG_LANES, CATALOG_POOLS } from '../providers/catalog.ts';

/** Every lane that is on and not paid. A user's pool cannot have this name. */
export const ALL_POOL = 'all';
/** Every such lane whose provider says that it does not train on prompts, and those of local servers: what `--no-training` leaves. */
export const PRIVATE_POOL = 'private';

/** The names of the ready-made pools, in the order in which they are made. */
export const READY_POOLS: readonly string[] = [
  ...CATALOG_POOLS.map(({ name }) => name),
  PRIVATE_POOL,
  ALL_POOL,
];

/** A pool, possibly without lanes, and what to say of it if it is used. */
export interface ReadyPool {
  readonly pool: Pool;
  readonly warnings: readonly string[];
}

/**
 * The ready-made pools of those providers. `small` ends with the user's own unpaid lanes; `large` stands for `small`
 * when none of its lanes is on, with a warning; `private` is in the order of the catalog, own lanes last.
 */
export function readyPools(providers: readonly Provider[]): readonly ReadyPool[] {
  const unpaid = providers.filter(({ tier }) => tier !== 'paid');
  return [
    ...catalogPools(unpaid),
    {
      pool: { name: PRIVATE_POOL, laneIds: lanesOf(unpaid.filter(keepsFromTraining)).toSorted(byCatalog) },
      warnings: [],
    },
    { pool: { name: ALL_POOL, laneIds: lanesOf(unpaid) }, warnings: [] },
  ];
}

function catalogPools(unpaid: readonly Provider[]): readonly ReadyPool[] {
  const on = new Set(lanesOf(unpaid));
  const [small, large] = CATALOG_POOLS.map(({ name, laneIds }) => ({
    name,
    laneIds: laneIds.filter((id) => on.has(id)),
  }));
  if (small === undefined || large === undefined) return [];
  const smallest = { ...small, laneIds: [...new Set([...small.laneIds, ...ownLanes(unpaid)])] };
  if (large.laneIds.length > 0) return [smallest, large].map((pool) => ({ pool, warnings: [] }));
  const warning = `No lane of the pool \`${large.name}\` is on; it stands for \`${small.name}\`.`;
  return [
    { pool: smallest, warnings: [] },
    // With servers of one's own only, nobody expects a catalog pool.
    { pool: { ...large, laneIds: smallest.laneIds }, warnings: small.laneIds.length > 0 ? [warning] : [] },
  ];
}

/** Lanes that the catalog does not know. */
function ownLanes(providers: readonly Provider[]): readonly string[] {
  const known = new Set(CATALOG_LANES);
  return lanesOf(providers).filter((id) => !known.has(id));
}

function byCatalog(a: string, b: string): number {
  return rank(a) - rank(b);
}

function rank(laneId: string): number {
  const index = CATALOG_LANES.indexOf(laneId);
  return index < 0 ? CATALOG_LANES.length : index;
}

function lanesOf(providers: readonly Provider[]): readonly string[] {
  return providers.flatMap(({ lanes }) => lanes.map(({ id }) => id));
}
