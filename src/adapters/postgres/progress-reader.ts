/** How batches and lanes stand, read from the record without locking anything. */
import type pg from 'pg';
import type { BatchStore } from '../../app/batch-store.ts';
import type { Closing, HealthBook } from '../../app/health-book.ts';
import type { ForecastBook } from '../../app/planning.ts';
import type { Routing } from '../../app/ports.ts';
import { underTerms } from '../../core/plan/under-terms.ts';
import { THOUSANDTHS } from '../../core/quota/unit-cost.ts';
import {
  batchSavings,
  mayPay,
  type LaneProgress,
  type LimitUse,
  type Progress,
  type ProgressReader,
} from '../../app/progress.ts';

/** The {@link ProgressReader} on a pool of connections to the record. */
export const postgresProgressReader = (
  pool: pg.Pool,
  store: BatchStore,
  health: HealthBook,
  forecasts: ForecastBook,
): ProgressReader => {
  const lanes = (routing: Routing): Promise<readonly LaneProgress[]> => readLanes(pool, health, routing);
  return {
    lanes,
    async read(batchId, routing): Promise<Progress | null> {
      const [batch, counts, forecast, laneList] = await Promise.all([
        store.find(batchId),
        readCounts(pool, batchId),
        forecasts.of(batchId),
        lanes(routing),
      ]);
      if (batch === null) return null;
      return {
        batch,
        ...counts,
        forecast: forecast === null ? null : underTerms(forecast, batch.terms, mayPay(batch)),
        lanes: laneList,
        savings: batchSavings(batch, routing.prices),
      };
    },
  };
};

/** What is counted of a batch's requests. */
type Counts = Omit<Progress, 'batch' | 'forecast' | 'lanes' | 'savings'>;

const readCounts = async (pool: pg.Pool, batchId: number): Promise<Counts> => {
  const { rows } = await pool.query<Counts>(
    `SELECT now_ms() AS "atMs",
       (SELECT count(*) FROM request WHERE batch_id = $1 AND state = 'parked' AND due_at_ms IS NOT NULL) AS parked,
       (SELECT min(due_at_ms) FROM request WHERE batch_id = $1 AND state IN ('parked', 'pending') AND due_at_ms IS NOT NULL) AS "nextDueAtMs",
       (SELECT count(*) FROM grants g JOIN request r ON r.id = g.request_id WHERE g.state <> 'closed' AND r.batch_id = $1)
         AS "underWay"`,
    [batchId],
  );
  return rows[0] ?? { atMs: 0, parked: 0, nextDueAtMs: null, underWay: 0 };
};

interface LaneRow {
  readonly laneId: string;
  readonly callsUnderWay: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly rejected: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly isPaused: boolean;
  readonly workers: number;
}

const readLanes = async (
  pool: pg.Pool,
  health: HealthBook,
  routing: Routing,
): Promise<readonly LaneProgress[]> => {
  const lanes = routing.providers.flatMap((provider) => provider.lanes);
  const [totals, limits, closings] = await Promise.all([
    readTotals(
      pool,
      lanes.map((lane) => lane.id),
    ),
    readLimits(pool, routing),
    health.closings(),
  ]);
  const byScope = new Map<string, Closing>(closings.map((closing) => [closing.scope, closing]));
  return lanes.map((lane) => ({
    ...(totals.get(lane.id) ?? NO_CALLS),
    laneId: lane.id,
    providerId: lane.providerId,
    limits: limits.filter((limit) => limit.scope === lane.id || limit.scope === lane.providerId),
    closing: byScope.get(lane.id) ?? byScope.get(lane.providerId) ?? null,
  }));
};

const NO_CALLS = {
  isPaused: false,
  workers: 0,
  callsUnderWay: 0,
  calls: 0,
  succeeded: 0,
  rejected: 0,
  promptTokens: 0,
  completionTokens: 0,
};

const readTotals = async (
  pool: pg.Pool,
  laneIds: readonly string[],
): Promise<ReadonlyMap<string, LaneRow>> => {
  const { rows } = await pool.query<LaneRow>(
    `SELECT l AS "laneId", coalesce(t.calls, 0) AS calls, coalesce(t.succeeded, 0) AS succeeded,
       coalesce(t.rejected, 0) AS rejected, coalesce(t.prompt_tokens, 0) AS "promptTokens",
       coalesce(t.completion_tokens, 0) AS "completionTokens", coalesce(o.open_calls, 0) AS "callsUnderWay",
       EXISTS (SELECT FROM lane_pause p WHERE p.lane_id = l) AS "isPaused",
       (SELECT count(*) FROM worker_lane wl JOIN process w ON w.id = wl.worker_id
        WHERE wl.lane_id = l AND w.heartbeat_at > clock_timestamp() - interval '15 s') AS workers
     FROM unnest($1::text[]) AS l LEFT JOIN lane_total t ON t.lane_id = l
     LEFT JOIN (SELECT lane_id, count(*) AS open_calls FROM grants WHERE state <> 'closed' GROUP BY lane_id) o ON o.lane_id = l`,
    [laneIds],
  );
  return new Map(rows.map((row) => [row.laneId, row]));
};

/** What is in use now: uses that have ended since somebody last settled the limit are left out, debt is drained to now. */
const readLimits = async (pool: pg.Pool, routing: Routing): Promise<readonly LimitUse[]> => {
  const scopes = routing.providers.flatMap((provider) => [
    provider.id,
    ...provider.lanes.map((lane) => lane.id),
  ]);
  const { rows } = await pool.query<LimitUse>(
    `SELECT l.scope, l.metric, l.window_kind AS "windowKind", l.per_ms AS "perMs", l.unit, l.time_zone AS "timeZone",
       l.anchor_ms AS "anchorAtMs", floor(l.amount / s.scale)::bigint AS amount, floor(l.declared / s.scale)::bigint AS "declaredAmount",
       floor(l.reserved / s.scale)::bigint AS "reservedAmount",
       CASE WHEN l.amount < l.declared THEN jsonb_build_object(
         'sinceMs', l.lowered_since_ms, 'lastAtMs', l.lowered_at_ms, 'refusals', l.refusals, 'reason', l.lowered_reason,
         'probeAtMs', l.probe_at_ms) END AS evidence,
       ceil((coalesce(u.live, 0)
         + CASE WHEN l.window_kind = 'refill'
                THEN greatest(0, l.debt - (n.at_ms - l.drained_at_ms) * l.amount::double precision / l.per_ms) ELSE 0 END) / s.scale)::bigint
         AS used,
       u.frees_at_ms AS "freesAtMs"
     FROM quota_limit l CROSS JOIN (SELECT now_ms() AS at_ms) n
     CROSS JOIN LATERAL (SELECT CASE l.metric WHEN 'units' THEN ${THOUSANDTHS}.0 ELSE 1 END AS scale) s
     LEFT JOIN LATERAL (
       SELECT sum(amount) AS live, min(expires_at_ms) AS frees_at_ms FROM quota_use
       WHERE limit_id = l.id AND (expires_at_ms IS NULL OR expires_at_ms > n.at_ms)
     ) u ON true
     WHERE l.active AND l.metric <> 'calls' AND l.scope = ANY ($1) ORDER BY l.id`,
    [scopes],
  );
  return rows;
};
