/** Health of lanes and providers in PostgreSQL. Rules are core's; this file only keeps the numbers. */
import type pg from 'pg';
import type { Closing, HealthBook } from '../../app/health-book.ts';
import { onSick } from '../../core/failures/circuit-breaker.ts';
import { inTransaction } from './connect.ts';

/** A model that two answers in a row called gone is not asked again for a day. */
const RETIRED_MS = 86_400_000;

/** The {@link HealthBook} on a pool of connections to the record. `fingerprintOf` names a provider's key without showing it. */
export const postgresHealthBook = (
  pool: pg.Pool,
  fingerprintOf: (scope: string) => string | null,
): HealthBook => ({
  close: (closing) => close(pool, closing, fingerprintOf(closing.scope)),
  sick: (scope, reason, random01) => sick(pool, scope, reason, random01),
  gone: (laneId, reason) => gone(pool, laneId, reason),
  closings: () => closings(pool),
  pause: async (laneId) => {
    await pool.query('SELECT pause_lane($1)', [laneId]);
  },
  resume: async (laneId) => {
    await pool.query('SELECT resume_lane($1)', [laneId]);
  },
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

const sick = async (pool: pg.Pool, scope: string, reason: string, random01: number): Promise<void> => {
  await inTransaction(pool, async (client) => {
    await client.query('INSERT INTO health (scope) VALUES ($1) ON CONFLICT DO NOTHING', [scope]);
    const { rows } = await client.query<{
      failures: number;
      openings: number;
      breaker_until_ms: number | null;
      now_ms: number;
    }>(
      'SELECT failures, openings, breaker_until_ms, now_ms() AS now_ms FROM health WHERE scope = $1 FOR UPDATE',
      [scope],
    );
    const row = rows[0];
    if (row === undefined) return;
    const before = {
      consecutiveFailures: row.failures,
      openUntilMs: row.breaker_until_ms,
      openings: row.openings,
    };
    const after = onSick(before, row.now_ms, random01);
    await client.query(
      'UPDATE health SET failures = $2, openings = $3, breaker_until_ms = $4, breaker_reason = $5 WHERE scope = $1',
      [scope, after.consecutiveFailures, after.openings, after.openUntilMs, reason],
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
    `SELECT scope, greatest(closed_until_ms, breaker_until_ms) AS "untilMs", (needs_user AND coalesce(closed_until_ms > now_ms(), false)) AS "needsUser",
       CASE WHEN closed_until_ms > now_ms() THEN closed_kind ELSE 'sick' END AS kind,
       CASE WHEN closed_until_ms > now_ms() THEN closed_reason ELSE breaker_reason END AS reason
     FROM health WHERE greatest(closed_until_ms, breaker_until_ms) > now_ms() ORDER BY scope`,
  );
  return rows;
};
