/** The final lines of a batch, read from the record some at a time. */
import type pg from 'pg';
import type { FinalLine, ResultCursor } from '../../app/batch-store.ts';

/** Final lines are fetched this many at a time; an answer is rarely over 100 kB and never over 8 MiB. */
const PAGE_LINES = 50;

/**
 * Final lines after a cursor, in the order of completion. Rows of transactions that may still be under way are left for
 * the next call: `written_by` is compared with the oldest transaction that has not ended, so that the order never changes
 * behind a reader. Of a batch that is over all are there.
 */
export const resultsSince = async (
  pool: pg.Pool,
  batchId: number,
  cursor: ResultCursor,
  atMost: number,
): Promise<{ readonly lines: readonly FinalLine[]; readonly cursor: ResultCursor }> => {
  const { rows } = await pool.query<FinalLine & { written_by: string; sequence: number }>(
    `SELECT written_by, sequence, succeeded, line FROM result
     WHERE batch_id = $1 AND (written_by, sequence) > ($2::xid8, $3::bigint)
       AND (written_by < pg_snapshot_xmin(pg_current_snapshot())
            OR (SELECT state NOT IN ('in_progress', 'cancelling', 'expiring') FROM batch WHERE id = $1))
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
export async function* finalLines(pool: pg.Pool, batchId: number): AsyncGenerator<readonly FinalLine[]> {
  yield* pagesOf(pool, {
    name: 'final-lines',
    text: `SELECT r.line_number, coalesce(f.succeeded, false) AS succeeded, coalesce(f.line, r.line) AS line
           FROM request r LEFT JOIN result f ON f.request_id = r.id
           WHERE r.batch_id = $1 AND r.line_number > $2 AND (f.request_id IS NOT NULL OR r.state = 'bad')
           ORDER BY r.line_number LIMIT $3`,
    batchId,
  });
}

/** The bad ones among them. */
export async function* badLines(pool: pg.Pool, batchId: number): AsyncGenerator<readonly FinalLine[]> {
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
