/** Forecasts in the record: dispatchers write them, displays read them. */
import type pg from 'pg';
import type { ForecastBook } from '../../app/planning.ts';
import type { Forecast, Forecasts } from '../../core/plan/forecast.ts';

/** Who has said nothing for so long has stopped planning; real time, in seconds. The dearest plans are some 100 s apart. */
const STALE_S = 240;

/** The {@link ForecastBook} on a pool of connections to the record. */
export const postgresForecastBook = (pool: pg.Pool): ForecastBook => ({
  store: (forecasts) => store(pool, forecasts),
  of: (batchId) => forecastOf(pool, batchId),
});

/** A batch that was removed meanwhile is left out. */
const store = async (pool: pg.Pool, forecasts: Forecasts): Promise<void> => {
  const rows = [...forecasts].map(([batchId, { madeAtMs, finishAtMs, spreadMs, next }]) => ({
    batch_id: batchId,
    made_at_ms: Math.round(madeAtMs),
    finish_at_ms: finishAtMs === null ? null : Math.round(finishAtMs),
    spread_ms: Math.round(spreadMs),
    next: next === null ? null : { scope: next.scope, atMs: Math.round(next.atMs) },
  }));
  if (rows.length === 0) return;
  await pool.query(
    `INSERT INTO forecast (batch_id, made_at_ms, finish_at_ms, spread_ms, next)
     SELECT f.* FROM jsonb_to_recordset($1::jsonb) AS f (batch_id bigint, made_at_ms bigint, finish_at_ms bigint, spread_ms bigint, next jsonb)
     JOIN batch b ON b.id = f.batch_id AND b.state = 'in_progress' ORDER BY f.batch_id
     ON CONFLICT (batch_id) DO UPDATE SET made_at_ms = EXCLUDED.made_at_ms, finish_at_ms = EXCLUDED.finish_at_ms,
       spread_ms = EXCLUDED.spread_ms, next = EXCLUDED.next, stored_at = EXCLUDED.stored_at`,
    [JSON.stringify(rows)],
  );
};

const forecastOf = async (pool: pg.Pool, batchId: number): Promise<Forecast | null> => {
  const { rows } = await pool.query<Forecast>(
    `SELECT f.made_at_ms AS "madeAtMs", f.finish_at_ms AS "finishAtMs", f.spread_ms AS "spreadMs", f.next
     FROM forecast f JOIN batch b ON b.id = f.batch_id
     WHERE f.batch_id = $1 AND b.state = 'in_progress' AND NOT b.is_paused
       AND f.stored_at > clock_timestamp() - interval '${STALE_S} s'`,
    [batchId],
  );
  return rows[0] ?? null;
};
