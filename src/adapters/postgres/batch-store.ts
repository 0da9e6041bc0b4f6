/**
 * Batches and their lines in PostgreSQL. What their names stand for is in batch-pools.ts, what came of them in
 * batch-results.ts.
 */
import type pg from 'pg';
import type { Batch, BatchStore, IngestRow, NewBatch, OpenRequest } from '../../app/batch-store.ts';
import type { Routing } from '../../app/ports.ts';
import { addLanes, adoptConfiguration, laneIdsUnder, poolNamesOf, routeInterner } from './batch-pools.ts';
import { badLines, finalLines, resultsSince } from './batch-results.ts';
import { inTransaction } from './connect.ts';
import { copyRequests } from './copy-requests.ts';
import { turns } from './turns.ts';

/** Duplicates are rewritten this many at a time. */
const DUPLICATES_AT_ONCE = 500;

/** A batch as its row has it. */
export const BATCH_COLUMNS = `id, identity, name, state, is_paused AS "isPaused", policy,
  max_cost_nano_dollars AS "maxCostNanoDollars", spent_nano_dollars AS "spentNanoDollars", held_nano_dollars AS "heldNanoDollars",
  (SELECT min(p.needed_nano_dollars) FROM refused_payment p WHERE p.batch_id = batch.id) AS "refusedNanoDollars",
  jsonb_build_object('nightWindow', night_window, 'priority', priority, 'deadlineAtMs', deadline_at_ms) AS terms,
  deadline_text AS "deadlineText", output_path AS "outputPath", error_path AS "errorPath",
  created_at_ms AS "createdAtMs", completed_at_ms AS "completedAtMs", total, bad, succeeded, failed, cancelled, expired,
  prompt_tokens AS "promptTokens", completion_tokens AS "completionTokens"`;

/** Each has a connection of the pool and asks for another: if as many began as there are, all would wait for ever. */
const INGESTS_AT_ONCE = 3;

/** The {@link BatchStore} on a pool of connections to the record. */
export const postgresBatchStore = (pool: pg.Pool, inTurn = turns(INGESTS_AT_ONCE)): BatchStore => ({
  findByIdentity: (identity) => findBatch(pool, 'identity = $1', identity),
  find: (batchId) => findBatch(pool, 'id = $1', batchId),
  findByName: (name) => findBatch(pool, 'name = $1 ORDER BY id DESC LIMIT 1', name),
  findUnfinishedByOutput: (outputPath) =>
    findBatch(
      pool,
      "output_path = $1 AND state IN ('in_progress', 'cancelling', 'expiring') ORDER BY id DESC LIMIT 1",
      outputPath,
    ),
  list: (page) => list(pool, page),
  ingest: (batch, routing, rows, duplicateLine) =>
    inTurn(() => ingest(pool, routing, batch, rows, duplicateLine)),
  adoptConfiguration: (batchId, routing) => adoptConfiguration(pool, routing, batchId),
  addLanes: (batchId, routing) => addLanes(pool, routing, batchId),
  servedBatchIds: () => idsWhere(pool, "state = 'in_progress' AND is_served"),
  poolNamesOf: (batchId) => poolNamesOf(pool, batchId),
  remove: async (batchId) => {
    await pool.query('SELECT remove_batch($1)', [batchId]);
  },
  setOutput: async (batchId, outputPath, errorPath) => {
    await pool.query('UPDATE batch SET output_path = $2, error_path = $3 WHERE id = $1', [
      batchId,
      outputPath,
      errorPath,
    ]);
  },
  setTerms: async (batchId, { nightWindow, priority, deadlineAtMs }, deadlineText) => {
    await pool.query('SELECT set_terms($1, $2, $3, $4, $5)', [
      batchId,
      jsonText(nightWindow),
      priority,
      wholeMs(deadlineAtMs),
      deadlineText,
    ]);
  },
  knowsTimeZone: (name) => knowsTimeZone(pool, name),
  setPaused: async (batchId, isPaused) => {
    await pool.query("UPDATE batch SET is_paused = $2 WHERE id = $1 AND state = 'in_progress'", [
      batchId,
      isPaused,
    ]);
    await pool.query("SELECT wake_dispatchers('*')");
  },
  allowPaid: async (batchId, requests, { ageMs, forMs }) => {
    await pool.query('SELECT allow_paid($1, $2, $3, $4)', [batchId, requests, ageMs, forMs]);
  },
  setMaxCost: async (batchId, maxCostNanoDollars, routing) => {
    await pool.query('UPDATE batch SET max_cost_nano_dollars = $2 WHERE id = $1', [
      batchId,
      maxCostNanoDollars,
    ]);
    await adoptConfiguration(pool, routing, batchId);
  },
  startCancelling: async (batchId) => {
    await pool.query("UPDATE batch SET state = 'cancelling' WHERE id = $1 AND state = 'in_progress'", [
      batchId,
    ]);
  },
  endingIds: () => idsWhere(pool, "state IN ('cancelling', 'expiring')"),
  endOpen: (batchId, lineOf, atMost) => endOpen(pool, batchId, lineOf, atMost),
  retry: (batchId, poolName, routing) => retry(pool, routing, batchId, poolName),
  resultsSince: (batchId, cursor, atMost) => resultsSince(pool, batchId, cursor, atMost),
  finalLines: (batchId) => finalLines(pool, batchId),
  badLines: (batchId) => badLines(pool, batchId),
});

const findBatch = async (pool: pg.Pool, condition: string, value: string | number): Promise<Batch | null> => {
  const { rows } = await pool.query<Batch>(`SELECT ${BATCH_COLUMNS} FROM batch WHERE ${condition}`, [value]);
  return rows[0] ?? null;
};

const list = async (
  pool: pg.Pool,
  { atMost, beforeId }: { readonly atMost: number; readonly beforeId: number | null },
): Promise<readonly Batch[]> => {
  const { rows } = await pool.query<Batch>(
    `SELECT ${BATCH_COLUMNS} FROM batch WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [beforeId, atMost],
  );
  return rows;
};

const idsWhere = async (pool: pg.Pool, condition: string): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ id: number }>(`SELECT id FROM batch WHERE ${condition} ORDER BY id`);
  return rows.map((row) => row.id);
};

/** SQLSTATE "invalid parameter value". */
const INVALID_PARAMETER = '22023';

const knowsTimeZone = async (pool: pg.Pool, name: string): Promise<boolean> => {
  try {
    await pool.query('SELECT now() AT TIME ZONE $1', [name]);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === INVALID_PARAMETER) return false;
    throw error;
  }
};

const jsonText = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

const wholeMs = (atMs: number | null): number | null => (atMs === null ? null : Math.ceil(atMs));

const endOpen = async (
  pool: pg.Pool,
  batchId: number,
  lineOf: (request: OpenRequest) => string,
  atMost: number,
): Promise<number> =>
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<Omit<OpenRequest, 'trail'> & { trail: OpenRequest['trail'] | null }>(
      `SELECT CASE b.state WHEN 'expiring' THEN 'expired' ELSE 'cancelled' END AS kind, r.id AS "requestId", r.custom_id AS "customId", attempts_of(r.id) AS trail
       FROM request r JOIN batch b ON b.id = r.batch_id
       WHERE r.batch_id = $1 AND b.state IN ('cancelling', 'expiring') AND r.state IN ('pending', 'parked')
       LIMIT $2 FOR UPDATE OF r SKIP LOCKED`,
      [batchId, atMost],
    );
    const lines = rows.map((row) => lineOf({ ...row, trail: row.trail ?? [] }));
    await client.query('SELECT end_requests($1, $2, $3)', [batchId, rows.map((row) => row.requestId), lines]);
    return rows.length;
  });

/** In one transaction: a batch that is over has no pools, and lines that are pending without one would wait for ever. */
const retry = async (
  pool: pg.Pool,
  routing: Routing,
  batchId: number,
  poolName: string | null,
): Promise<number> =>
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ lines: number }>('SELECT retry_batch($1, $2) AS lines', [
      batchId,
      poolName,
    ]);
    const lines = rows[0]?.lines ?? 0;
    if (lines === 0) return 0;
    await adoptConfiguration(client, routing, batchId);
    // Whoever ran it is gone: it is for the next service.
    await client.query('UPDATE batch SET is_served = true WHERE id = $1', [batchId]);
    return lines;
  });

/** Rolls an ingest back that found nothing to run. */
class NoGoodLine extends Error {}

const ingest = async (
  pool: pg.Pool,
  routing: Routing,
  batch: NewBatch,
  rows: AsyncIterable<readonly IngestRow[]>,
  duplicateLine: (lineNumber: number, customId: string, firstLineNumber: number) => string,
): ReturnType<BatchStore['ingest']> => {
  try {
    const created = await inTransaction(pool, async (client) => {
      const batchId = await insertBatch(client, batch);
      if (batchId === null) return null;
      const routes = routeInterner(pool, batchId, laneIdsUnder(batch, routing));
      await copyRequests(client, batchId, rows, (poolName) => routes.idOf(poolName));
      await markDuplicates(client, batchId, duplicateLine);
      return await countLines(client, batchId, routes.poolNames());
    });
    if (created !== null) return { kind: 'created', batch: created };
  } catch (error) {
    if (error instanceof NoGoodLine) return { kind: 'no-good-line' };
    throw error;
  }
  const other = await findBatch(pool, 'identity = $1', batch.identity);
  if (other === null)
    throw new Error('Expected the batch that another process took in, found none. Run again.');
  return { kind: 'exists', batch: other };
};

/** `null` if there is one already: an insert waits for the end of another process's ingest of the same batch. */
const insertBatch = async (client: pg.PoolClient, batch: NewBatch): Promise<number | null> => {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO batch (identity, name, task, policy, output_path, error_path, is_served, max_cost_nano_dollars, night_window,
                        priority, deadline_at_ms, deadline_text, created_at_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now_ms()) ON CONFLICT (identity) DO NOTHING RETURNING id`,
    [
      batch.identity,
      batch.name,
      JSON.stringify(batch.task),
      jsonText(batch.policy),
      batch.outputPath,
      batch.errorPath,
      batch.isServed,
      batch.maxCostNanoDollars,
      jsonText(batch.terms.nightWindow),
      batch.terms.priority,
      wholeMs(batch.terms.deadlineAtMs),
      batch.deadlineText,
    ],
  );
  return rows[0]?.id ?? null;
};

const markDuplicates = async (
  client: pg.PoolClient,
  batchId: number,
  duplicateLine: (lineNumber: number, customId: string, firstLineNumber: number) => string,
): Promise<void> => {
  await client.query(
    `DECLARE duplicate CURSOR FOR
     SELECT id, line_number, custom_id, first_line FROM (
       SELECT id, line_number, custom_id, min(line_number) OVER (PARTITION BY custom_id) AS first_line
       FROM request WHERE batch_id = ${batchId} AND state = 'pending'
     ) AS numbered WHERE line_number > first_line`,
  );
  for (;;) {
    const { rows } = await client.query<{
      id: number;
      line_number: number;
      custom_id: string;
      first_line: number;
    }>(`FETCH ${DUPLICATES_AT_ONCE} FROM duplicate`);
    if (rows.length === 0) return;
    await client.query(
      `UPDATE request r SET state = 'bad', line = d.line, route_id = NULL
       FROM unnest($1::bigint[], $2::text[]) AS d (id, line) WHERE r.id = d.id`,
      [
        rows.map((row) => row.id),
        rows.map((row) => duplicateLine(row.line_number, row.custom_id, row.first_line)),
      ],
    );
  }
};

/** A batch of so many lines changes what the planner should believe of the table. */
const WORTH_ANALYSING = 1_000;

const countLines = async (
  client: pg.PoolClient,
  batchId: number,
  poolNames: readonly string[],
): Promise<Batch> => {
  const { rows } = await client.query<Batch>(
    `UPDATE batch SET total = n.lines, bad = n.bad_lines, pool_names = $2
     FROM (SELECT count(*) AS lines, count(*) FILTER (WHERE state = 'bad') AS bad_lines FROM request WHERE batch_id = $1) AS n
     WHERE id = $1 RETURNING ${BATCH_COLUMNS}`,
    [batchId, poolNames],
  );
  const [counted] = rows;
  if (counted === undefined || counted.total === counted.bad) throw new NoGoodLine();
  // The server would look by itself within a minute; until then it plans for a table that it believes to be small.
  if (counted.total >= WORTH_ANALYSING) await client.query('ANALYZE request');
  await client.query("SELECT wake_dispatchers('*')");
  return counted;
};
