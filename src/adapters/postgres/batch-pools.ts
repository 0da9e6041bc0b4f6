/**
 * What the names of a batch stand for, in the record: the only writer of `pool`. A lane that the batch's policy or its budget
 * rules out never comes into a row, so that no grant can reach it; {@link laneIdsUnder} gives every row its lanes.
 */
import type pg from 'pg';
import { disqualifiedLaneIds, type LaneRules, routingUnder } from '../../app/batch-policy.ts';
import type { Routing } from '../../app/ports.ts';

/** The lanes that a name stands for in a batch with these rules. */
export const laneIdsUnder =
  (rules: LaneRules, routing: Routing) =>
  (name: string): readonly string[] =>
    routingUnder(rules, routing)
      .lanesOf(name)
      .map((lane) => lane.id);

/** The record, or a transaction on it. */
type Connection = pg.Pool | pg.PoolClient;

/** Lets every name of a batch stand for what this routing gives it and its rules allow, and for nothing else. */
export const adoptConfiguration = async (
  record: Connection,
  routing: Routing,
  batchId: number,
): Promise<void> => {
  const { names, ...rules } = await namesAndRulesOf(record, batchId);
  const laneIdsOf = laneIdsUnder(rules, routing);
  for (const name of names) await upsertPool(record, batchId, name, laneIdsOf(name));
  await record.query("SELECT wake_dispatchers('*')");
};

/**
 * Adds the lanes that this routing gives the names and the policy allows. Lanes that the routing does not know stay; those
 * that it knows and that do not qualify (any more) go.
 */
export const addLanes = async (pool: pg.Pool, routing: Routing, batchId: number): Promise<void> => {
  const { names, ...rules } = await namesAndRulesOf(pool, batchId);
  const laneIdsOf = laneIdsUnder(rules, routing);
  const disqualified = disqualifiedLaneIds(rules, routing);
  for (const name of names) {
    await pool.query(
      `UPDATE pool SET lane_ids = ARRAY(SELECT l FROM unnest(lane_ids) AS l WHERE l <> ALL ($4::text[]))
                                  || ARRAY(SELECT l FROM unnest($3::text[]) AS l WHERE l <> ALL (lane_ids))
       WHERE batch_id = $1 AND name = $2 AND (NOT lane_ids @> $3::text[] OR lane_ids && $4::text[])`,
      [batchId, name, laneIdsOf(name), disqualified],
    );
  }
  await pool.query("SELECT wake_dispatchers('*')");
};

/** The names that requests of a batch are routed by; empty for one that is not there. */
export const poolNamesOf = async (pool: pg.Pool, batchId: number): Promise<readonly string[]> =>
  (await namesAndRulesOf(pool, batchId)).names;

/** Names are recorded at ingest: asking the requests would read them all. */
const namesAndRulesOf = async (
  record: Connection,
  batchId: number,
): Promise<LaneRules & { readonly names: readonly string[] }> => {
  const { rows } = await record.query<LaneRules & { names: string[] }>(
    'SELECT pool_names AS names, policy, max_cost_nano_dollars AS "maxCostNanoDollars" FROM batch WHERE id = $1',
    [batchId],
  );
  return rows[0] ?? { names: [], policy: null, maxCostNanoDollars: null };
};

const upsertPool = async (
  record: Connection,
  batchId: number,
  name: string,
  laneIds: readonly string[],
): Promise<void> => {
  await record.query(
    `INSERT INTO pool (batch_id, name, lane_ids) VALUES ($1, $2, $3)
     ON CONFLICT (batch_id, name) DO UPDATE SET lane_ids = EXCLUDED.lane_ids`,
    [batchId, name, laneIds],
  );
};

/** Routes of one batch, made as they are asked for. */
export interface RouteInterner {
  /** The route of a name; its pool is in the record by then. */
  idOf(poolName: string): Promise<number>;
  /** The names asked for so far. */
  poolNames(): readonly string[];
}

/** Routes are interned on a connection of their own, outside the transaction: a route that nobody uses does no harm. */
export const routeInterner = (
  pool: pg.Pool,
  batchId: number,
  laneIdsOf: (name: string) => readonly string[],
): RouteInterner => {
  const known = new Map<string, Promise<number>>();
  const intern = async (poolName: string): Promise<number> => {
    await upsertPool(pool, batchId, poolName, laneIdsOf(poolName));
    const { rows } = await pool.query<{ id: number }>("SELECT intern_route($1, $2, '{}') AS id", [
      batchId,
      poolName,
    ]);
    return rows[0]?.id ?? 0;
  };
  return {
    idOf: (poolName) => {
      const found = known.get(poolName) ?? intern(poolName);
      known.set(poolName, found);
      return found;
    },
    poolNames: () => [...known.keys()],
  };
};
