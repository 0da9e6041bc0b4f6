/** Batches, their lines and their results in PostgreSQL. */
import type pg from 'pg';
import type {
  Batch,
  BatchStore,
  FinalLine,
  IngestRow,
  NewBatch,
  OpenRequest,
  ResultCursor,
  Routing,
} from '../../app/ports.ts';
import { inTransaction } from './connect.ts';
import { copyRequests } from './copy-requests.ts';

/** Final lines are fetched this many at a time; an answer is rarely over 100 kB and never over 8 MiB. */
const PAGE_LINES = 50;
/** Duplicates are rewritten this many at a time. */
const DUPLICATES_AT_ONCE = 500;

/** A batch as its row has it. */
export const BATCH_COLUMNS = `id, identity, name, state, is_paused AS "isPaused", output_path AS "outputPath", error_path AS "errorPath",
  created_at_ms AS "createdAtMs", completed_at_ms AS "completedAtMs", total, bad, succeeded, failed, cancelled,
  prompt_tokens AS "promptTokens", completion_tokens AS "completionTokens"`;

/** The {@link BatchStore} on a pool of connections to the record. */
export const postgresBatchStore = (pool: pg.Pool): BatchStore => ({
  findByIdentity: (identity) => findBatch(pool, 'identity = $1', identity),
  find: (batchId) => findBatch(pool, 'id = $1', batchId),
  findByName: (name) => findBatch(pool, 'name = $1 ORDER BY id DESC LIMIT 1', name),
  findUnfinishedByOutput: (outputPath) =>
    findBatch(
      pool,
      "output_path = $1 AND state IN ('in_progress', 'cancelling') ORDER BY id DESC LIMIT 1",
      outputPath,
    ),
  list: (page) => list(pool, page),
  ingest: (batch, routing, rows, duplicateLine) => ingest(pool, routing, batch, rows, duplicateLine),
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
  setPaused: async (batchId, isPaused) => {
    await pool.query("UPDATE batch SET is_paused = $2 WHERE id = $1 AND state = 'in_progress'", [
      batchId,
      isPaused,
    ]);
    await pool.query("SELECT wake_dispatchers('*')");
  },
  startCancelling: async (batchId) => {
    await pool.query("UPDATE batch SET state = 'cancelling' WHERE id = $1 AND state = 'in_progress'", [
      batchId,
    ]);
  },
  cancellingIds: () => idsWhere(pool, "state = 'cancelling'"),
  cancelOpen: (batchId, lineOf, atMost) => cancelOpen(pool, batchId, lineOf, atMost),
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

const cancelOpen = async (
  pool: pg.Pool,
  batchId: number,
  lineOf: (request: OpenRequest) => string,
  atMost: number,
): Promise<number> =>
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<Omit<OpenRequest, 'trail'> & { trail: OpenRequest['trail'] | null }>(
      `SELECT r.id AS "requestId", r.custom_id AS "customId", attempts_of(r.id) AS trail
       FROM request r JOIN batch b ON b.id = r.batch_id
       WHERE r.batch_id = $1 AND b.state = 'cancelling' AND r.state IN ('pending', 'parked')
       LIMIT $2 FOR UPDATE OF r SKIP LOCKED`,
      [batchId, atMost],
    );
    const lines = rows.map((row) => lineOf({ ...row, trail: row.trail ?? [] }));
    await client.query('SELECT cancel_requests($1, $2, $3)', [
      batchId,
      rows.map((row) => row.requestId),
      lines,
    ]);
    return rows.length;
  });

const retry = async (
  pool: pg.Pool,
  routing: Routing,
  batchId: number,
  poolName: string | null,
): Promise<number> => {
  const { rows } = await pool.query<{ lines: number }>('SELECT retry_batch($1, $2) AS lines', [
    batchId,
    poolName,
  ]);
  const lines = rows[0]?.lines ?? 0;
  if (lines > 0) await adoptConfiguration(pool, routing, batchId);
  return lines;
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

const laneIdsOf = (routing: Routing, name: string): readonly string[] =>
  routing.lanesOf(name).map((lane) => lane.id);

const adoptConfiguration = async (pool: pg.Pool, routing: Routing, batchId: number): Promise<void> => {
  for (const name of await poolNamesOf(pool, batchId))
    await upsertPool(pool, batchId, name, laneIdsOf(routing, name));
  await pool.query("SELECT wake_dispatchers('*')");
};

const addLanes = async (pool: pg.Pool, routing: Routing, batchId: number): Promise<void> => {
  for (const name of await poolNamesOf(pool, batchId)) {
    await pool.query(
      `UPDATE pool SET lane_ids = lane_ids || ARRAY(SELECT l FROM unnest($3::text[]) AS l WHERE l <> ALL (lane_ids))
       WHERE batch_id = $1 AND name = $2 AND NOT lane_ids @> $3::text[]`,
      [batchId, name, laneIdsOf(routing, name)],
    );
  }
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
  routing: Routing,
  batch: NewBatch,
  rows: AsyncIterable<readonly IngestRow[]>,
  duplicateLine: (lineNumber: number, customId: string, firstLineNumber: number) => string,
): ReturnType<BatchStore['ingest']> => {
  try {
    const created = await inTransaction(pool, async (client) => {
      const batchId = await insertBatch(client, batch);
      if (batchId === null) return null;
      const routes = routeInterner(pool, routing, batchId);
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
    `INSERT INTO batch (identity, name, task, output_path, error_path, is_served, created_at_ms)
     VALUES ($1, $2, $3, $4, $5, $6, now_ms()) ON CONFLICT (identity) DO NOTHING RETURNING id`,
    [
      batch.identity,
      batch.name,
      JSON.stringify(batch.task),
      batch.outputPath,
      batch.errorPath,
      batch.isServed,
    ],
  );
  return rows[0]?.id ?? null;
};

/** Routes are interned on a connection of their own, outside the transaction: a route that nobody uses does no harm. */
const routeInterner = (pool: pg.Pool, routing: Routing, batchId: number): RouteInterner => {
  const known = new Map<string, Promise<number>>();
  const intern = async (poolName: string): Promise<number> => {
    await upsertPool(pool, batchId, poolName, laneIdsOf(routing, poolName));
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

/** Every line with its final line, in input order, some at a time. */
async function* finalLines(pool: pg.Pool, batchId: number): AsyncGenerator<readonly FinalLine[]> {
  yield* pagesOf(pool, {
    name: 'final-lines',
    text: `SELECT r.line_number, coalesce(f.succeeded, false) AS succeeded, coalesce(f.line, r.line) AS line
           FROM request r LEFT JOIN result f ON f.request_id = r.id
           WHERE r.batch_id = $1 AND r.line_number > $2 AND (f.request_id IS NOT NULL OR r.state = 'bad')
           ORDER BY r.line_number LIMIT $3`,
    batchId,
  });
}

async function* badLines(pool: pg.Pool, batchId: number): AsyncGenerator<readonly FinalLine[]> {
  yield* pagesOf(pool, {
    name: 'bad-lines',
    text: `SELECT line_number, false AS succeeded, line FROM request
           WHERE batch_id = $1 AND line_number > $2 AND state = 'bad' ORDER BY line_number LIMIT $3`,
    batchId,
  });
}

interface PagedQuery {
  readonly name: string;
  /** Takes the batch, the line number to go on after, and the number of lines. */
  readonly text: string;
  readonly batchId: number;
}

async function* pagesOf(
  pool: pg.Pool,
  { name, text, batchId }: PagedQuery,
): AsyncGenerator<readonly FinalLine[]> {
  for (let after = 0; ;) {
    const { rows } = await pool.query<FinalLine & { line_number: number }>({
      name,
      text,
      values: [batchId, after, PAGE_LINES],
    });
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.line_number;
  }
}
