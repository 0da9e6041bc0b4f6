/** Batches, their lines and their results in PostgreSQL. */
import type pg from 'pg';
import type { Batch, BatchStore, FinalLine, IngestRow, NewBatch, ResultCursor } from '../../app/ports.ts';
import { inTransaction } from './connect.ts';
import { copyRequests } from './copy-requests.ts';

/** Final lines are fetched this many at a time; an answer is rarely over 100 kB and never over 8 MiB. */
const PAGE_LINES = 50;
/** Duplicates are rewritten this many at a time. */
const DUPLICATES_AT_ONCE = 500;

const BATCH_COLUMNS = `id, identity, name, state, output_path AS "outputPath", error_path AS "errorPath",
  created_at_ms AS "createdAtMs", completed_at_ms AS "completedAtMs", total, bad, succeeded, failed,
  prompt_tokens AS "promptTokens", completion_tokens AS "completionTokens"`;

/** The {@link BatchStore} on a pool of connections to the record. `poolLanes` resolves a name as the configuration does. */
export const postgresBatchStore = (
  pool: pg.Pool,
  poolLanes: (name: string) => readonly string[],
): BatchStore => ({
  findByIdentity: (identity) => findBatch(pool, 'identity = $1', identity),
  find: (batchId) => findBatch(pool, 'id = $1', batchId),
  findByName: (name) => findBatch(pool, 'name = $1 ORDER BY id DESC LIMIT 1', name),
  findUnfinishedByOutput: (outputPath) =>
    findBatch(pool, "output_path = $1 AND state <> 'completed' ORDER BY id DESC LIMIT 1", outputPath),
  ingest: (batch, rows, duplicateLine) => ingest(pool, poolLanes, batch, rows, duplicateLine),
  adoptConfiguration: (batchId) => adoptConfiguration(pool, poolLanes, batchId),
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
  resultsSince: (batchId, cursor, atMost) => resultsSince(pool, batchId, cursor, atMost),
  finalLines: (batchId) => finalLines(pool, batchId),
  markCompleted: async (batchId) => {
    // Its routes serve nobody any more: without pools no grant looks at them.
    await pool.query('DELETE FROM pool WHERE batch_id = $1', [batchId]);
    await pool.query(
      "UPDATE batch SET state = 'completed', completed_at_ms = coalesce(completed_at_ms, now_ms()) WHERE id = $1",
      [batchId],
    );
  },
});

const findBatch = async (pool: pg.Pool, condition: string, value: string | number): Promise<Batch | null> => {
  const { rows } = await pool.query<Batch>(`SELECT ${BATCH_COLUMNS} FROM batch WHERE ${condition}`, [value]);
  return rows[0] ?? null;
};

const upsertPool = async (
  pool: pg.Pool,
  batchId: number,
  name: string,
  laneIds: readonly string[],
): Promise<void> => {
  await pool.query(
    `INSERT INTO pool (batch_id, name, lane_ids) VALUES ($1, $2, $3)
     ON CONFLICT (batch_id, name) DO UPDATE SET lane_ids = EXCLUDED.lane_ids`,
    [batchId, name, laneIds],
  );
};

const adoptConfiguration = async (
  pool: pg.Pool,
  poolLanes: (name: string) => readonly string[],
  batchId: number,
): Promise<void> => {
  for (const name of await poolNamesOf(pool, batchId)) await upsertPool(pool, batchId, name, poolLanes(name));
  await pool.query("SELECT wake_dispatchers('*')");
};

/** Recorded at ingest: asking the requests would read them all. */
const poolNamesOf = async (pool: pg.Pool, batchId: number): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ pool_names: string[] }>('SELECT pool_names FROM batch WHERE id = $1', [
    batchId,
  ]);
  return rows[0]?.pool_names ?? [];
};

/** Rolls an ingest back that found nothing to run. */
class NoGoodLine extends Error {}

const ingest = async (
  pool: pg.Pool,
  poolLanes: (name: string) => readonly string[],
  batch: NewBatch,
  rows: AsyncIterable<readonly IngestRow[]>,
  duplicateLine: (lineNumber: number, customId: string, firstLineNumber: number) => string,
): ReturnType<BatchStore['ingest']> => {
  try {
    const created = await inTransaction(pool, async (client) => {
      const batchId = await insertBatch(client, batch);
      if (batchId === null) return null;
      const routes = routeInterner(pool, poolLanes, batchId);
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
    `INSERT INTO batch (identity, name, task, output_path, error_path, created_at_ms)
     VALUES ($1, $2, $3, $4, $5, now_ms()) ON CONFLICT (identity) DO NOTHING RETURNING id`,
    [batch.identity, batch.name, JSON.stringify(batch.task), batch.outputPath, batch.errorPath],
  );
  return rows[0]?.id ?? null;
};

/** Routes are interned on a connection of their own, outside the transaction: a route that nobody uses does no harm. */
const routeInterner = (
  pool: pg.Pool,
  poolLanes: (name: string) => readonly string[],
  batchId: number,
): RouteInterner => {
  const known = new Map<string, Promise<number>>();
  const intern = async (poolName: string): Promise<number> => {
    await upsertPool(pool, batchId, poolName, poolLanes(poolName));
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

interface RouteInterner {
  idOf(poolName: string): Promise<number>;
  /** The names asked for so far. */
  poolNames(): readonly string[];
}

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
  await client.query("SELECT wake_dispatchers('*')");
  return counted;
};

/**
 * Rows of transactions that may still be under way are left for the next call: `written_by` is compared with the
 * oldest transaction that has not ended, so that the order never changes behind a reader.
 */
const resultsSince = async (
  pool: pg.Pool,
  batchId: number,
  cursor: ResultCursor,
  atMost: number,
): Promise<{ readonly lines: readonly FinalLine[]; readonly cursor: ResultCursor }> => {
  const { rows } = await pool.query<FinalLine & { written_by: string; sequence: number }>(
    `SELECT written_by, sequence, succeeded, line FROM result
     WHERE batch_id = $1 AND (written_by, sequence) > ($2::xid8, $3::bigint)
       AND written_by < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY written_by, sequence LIMIT $4`,
    [batchId, cursor?.writtenBy ?? '0', cursor?.sequence ?? 0, atMost],
  );
  const last = rows.at(-1);
  return {
    lines: rows,
    cursor: last === undefined ? cursor : { writtenBy: last.written_by, sequence: last.sequence },
  };
};

async function* finalLines(pool: pg.Pool, batchId: number): AsyncGenerator<readonly FinalLine[]> {
  for (let after = 0; ;) {
    const { rows } = await pool.query<FinalLine & { line_number: number }>({
      name: 'final-lines',
      text: `SELECT r.line_number, coalesce(f.succeeded, false) AS succeeded, coalesce(f.line, r.line) AS line
             FROM request r LEFT JOIN result f ON f.request_id = r.id
             WHERE r.batch_id = $1 AND r.line_number > $2 ORDER BY r.line_number LIMIT $3`,
      values: [batchId, after, PAGE_LINES],
    });
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.line_number;
  }
}
