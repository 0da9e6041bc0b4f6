/** Limits as a plan sees them: what is counted of each now, and when that ends. */
import type pg from 'pg';
import type { CalendarUnit, Metric, Window } from '../../core/model.ts';
import type { Freeing, PlanLimit } from '../../core/plan/situation.ts';

/** So many instants at which a limit frees are told apart; what ends between two of them ends at the later one. */
const MOST_FREEINGS = 48;

interface LimitRow {
  readonly scope: string;
  readonly metric: Metric;
  readonly windowKind: Window['kind'];
  readonly perMs: number | null;
  readonly anchorMs: number | null;
  readonly timeZone: string | null;
  readonly unit: CalendarUnit | null;
  readonly amount: number;
  readonly declared: number;
  readonly marginMs: number;
  readonly used: number;
  readonly freeings: readonly (readonly [atMs: number, amount: number])[] | null;
}

/**
 * The limits in force of these scopes, calls at once left out. Only of rolling windows all uses are read: those of the
 * others end together, and their sum is kept with the limit.
 */
export const readPlanLimits = async (
  pool: pg.Pool,
  scopes: readonly string[],
): Promise<readonly PlanLimit[]> => {
  const { rows } = await pool.query<LimitRow>(
    `SELECT l.scope, l.metric, l.window_kind AS "windowKind", l.per_ms AS "perMs", l.anchor_ms AS "anchorMs",
       l.time_zone AS "timeZone", l.unit, l.amount, l.declared, l.margin_ms AS "marginMs", live.used + owed.debt AS used, freeing.list AS freeings
     FROM quota_limit l CROSS JOIN (SELECT now_ms() AS at_ms) AS n
     -- Uses that have ended since somebody last settled the limit.
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(u.amount), 0) AS amount, min(u.expires_at_ms) AS first_ms
       FROM quota_use u WHERE u.limit_id = l.id AND u.expires_at_ms <= n.at_ms
     ) AS ended
     CROSS JOIN LATERAL (SELECT l.used - ended.amount AS used) AS live
     -- A bucket drains what was owed until they ended, and from then on all of it.
     CROSS JOIN LATERAL (
       SELECT CASE WHEN l.window_kind <> 'refill' THEN 0 ELSE
         greatest(0, ended.amount - (n.at_ms - since_ms) * rate
                     + greatest(0, l.debt - (since_ms - l.drained_at_ms) * rate)) END AS debt
       FROM (SELECT coalesce(greatest(ended.first_ms, l.drained_at_ms), n.at_ms) AS since_ms, l.amount::double precision / l.per_ms AS rate) AS r
     ) AS owed
     LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_array(f.at_ms, f.amount) ORDER BY f.at_ms) AS list FROM (
         SELECT max(u.expires_at_ms) AS at_ms, sum(u.amount) AS amount FROM quota_use u
         WHERE l.window_kind = 'rolling' AND u.limit_id = l.id AND u.expires_at_ms > n.at_ms
         GROUP BY width_bucket(u.expires_at_ms, n.at_ms, n.at_ms + l.per_ms + l.margin_ms, ${MOST_FREEINGS - 1})
         UNION ALL
         SELECT w.end_ms, live.used - w.held FROM (
           SELECT CASE l.window_kind WHEN 'session' THEN l.session_until_ms ELSE window_end_ms(l, n.at_ms) + l.margin_ms END AS end_ms,
             (SELECT coalesce(sum(u.amount), 0) FROM quota_use u WHERE u.limit_id = l.id AND u.expires_at_ms IS NULL) AS held
           WHERE l.window_kind NOT IN ('rolling', 'refill')
         ) AS w WHERE w.end_ms > n.at_ms AND live.used > w.held
       ) AS f
     ) AS freeing ON true
     WHERE l.active AND l.metric <> 'calls' AND l.scope = ANY ($1) ORDER BY l.id`,
    [scopes],
  );
  return rows.map(limitOf);
};

const limitOf = ({
  scope,
  metric,
  amount,
  declared,
  used,
  marginMs,
  freeings,
  ...row
}: LimitRow): PlanLimit => ({
  scope,
  metric,
  window: windowOf(row),
  amount,
  declared,
  used,
  freeings: (freeings ?? []).map(([atMs, ended]): Freeing => ({ atMs, amount: ended })),
  marginMs,
});

const windowOf = (row: Pick<LimitRow, 'windowKind' | 'perMs' | 'anchorMs' | 'timeZone' | 'unit'>): Window => {
  const { windowKind: kind, perMs, anchorMs, timeZone, unit } = row;
  switch (kind) {
    case 'rolling':
    case 'refill':
    case 'session':
      return { kind, perMs: there(perMs, 'per_ms') };
    case 'fixed':
      return { kind, perMs: there(perMs, 'per_ms'), anchorAtMs: there(anchorMs, 'anchor_ms') };
    case 'fixed-month':
      return { kind, anchorAtMs: there(anchorMs, 'anchor_ms'), timeZone: there(timeZone, 'time_zone') };
    case 'calendar':
      return { kind, unit: there(unit, 'unit'), timeZone: there(timeZone, 'time_zone') };
  }
};

const there = <Value>(value: Value | null, column: string): Value => {
  if (value === null) throw new Error(`Expected a limit of this kind to have \`${column}\`, got none.`);
  return value;
};
