/** Health of lanes and providers in PostgreSQL. Rules are core's; this file only keeps the numbers. */
import type pg from 'pg';
import type { Closing, HealthBook } from '../../app/ports.ts';
import { onSick } from '../../core/circuit-breaker.ts';
import { inTransaction } from './connect.ts';

/** A model that two answers in a row called gone is not asked again for a day. */
const RETIRED_MS = 86_400_000;

/** The {@link HealthBook} on a pool of connections to the record. `fingerprintOf` names a provider's key without showing it. */
export const postgresHealthBook = (pool: pg.Pool, fingerprintOf: (scope: string) => string | null): HealthBook => ({
  close: (closing) => close(pool, closing, fingerprintOf(closing.scope)),
  sick: (laneId, reason, random01) => sick(pool, laneId, reason, random01),
  gone: (laneId, reason) => gone(pool, laneId, reason),
  closings: () => closings(pool),
});

/** A closing is only ever extended: a short wait never shortens a closed day. */
const close = async (pool: pg.Pool, closing: Closing, fingerprint: string | null): Promise<void> => {
  await pool.query(
    `INSERT INTO health AS h (scope, closed_until_ms, closed_kind, closed_reason, needs_user, key_fingerprint)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (scope) DO UPDATE SET
       closed_until_ms = EXCLUDED.closed_until_ms, closed_kind = EXCLUDED.closed_kind, closed_reason = EXCLUDED.closed_reason,
       needs_user = EXCLUDED.needs_user, key_fingerprint = EXCLUDED.key_fingerprint
     WHERE h.closed_until_ms IS NULL OR h.closed_until_ms < EXCLUDED.closed_until_ms`,
    [closing.scope, Math.ceil(closing.untilMs), closing.kind, closing.reason, closing.needsUser, fingerprint],
  );
};

const sick = async (pool: pg.Pool, laneId: string, reason: string, random01: number): Promise<void> => {
  await inTransaction(pool, async (client) => {
    await client.query('INSERT INTO health (scope) VALUES ($1) ON CONFLICT DO NOTHING', [laneId]);
    const { rows } = await client.query<{ failures: number; openings: number; closed_until_ms: number | null; now_ms: number }>(
      'SELECT failures, openings, closed_until_ms, now_ms() AS now_ms FROM health WHERE scope = $1 FOR UPDATE',
      [laneId],
    );
    const row = rows[0];
    if (row === undefined) return;
    const next = onSick(
      { consecutiveFailures: row.failures, openUntilMs: row.closed_until_ms, openings: row.openings },
      row.now_ms,
      random01,
    );
    await client.query(
      `UPDATE health SET failures = $2, openings = $3,
         closed_until_ms = greatest(closed_until_ms, $4::bigint),
         closed_kind = CASE WHEN $4::bigint > coalesce(closed_until_ms, 0) THEN 'sick' ELSE closed_kind END,
         closed_reason = CASE WHEN $4::bigint > coalesce(closed_until_ms, 0) THEN $5 ELSE closed_reason END
       WHERE scope = $1`,
      [laneId, next.consecutiveFailures, next.openings, next.openUntilMs === null ? null : Math.ceil(next.openUntilMs), reason],
    );
  });
};

const gone = async (pool: pg.Pool, laneId: string, reason: string): Promise<void> => {
  await pool.query(
    `INSERT INTO health AS h (scope, gone_count) VALUES ($1, 1)
     ON CONFLICT (scope) DO UPDATE SET
       gone_count = h.gone_count + 1,
       closed_until_ms = CASE WHEN h.gone_count >= 1 THEN greatest(h.closed_until_ms, now_ms() + $3::bigint) ELSE h.closed_until_ms END,
       closed_kind = CASE WHEN h.gone_count >= 1 THEN 'gone' ELSE h.closed_kind END,
       closed_reason = CASE WHEN h.gone_count >= 1 THEN $2 ELSE h.closed_reason END`,
    [laneId, reason, RETIRED_MS],
  );
};

const closings = async (pool: pg.Pool): Promise<readonly Closing[]> => {
  const { rows } = await pool.query<Closing>(
    `SELECT scope, closed_until_ms AS "untilMs", closed_kind AS kind, closed_reason AS reason, needs_user AS "needsUser"
     FROM health WHERE closed_until_ms > now_ms() ORDER BY scope`,
  );
  return rows;
};
