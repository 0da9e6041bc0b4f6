/**
 * Reads what a plan is made from out of the record, without locking anything. Its parts are read side by side, so what
 * is granted meanwhile may be missing from both the backlog and the limits, or be in both; the next plan knows.
 */
import type pg from 'pg';
import type { SituationReader } from '../../app/planning.ts';
import type { ServedLane } from '../../app/process-registry.ts';
import { type CallLength, callLengths } from '../../core/plan/call-length.ts';
import type { PlanLane, PlanProvider, Situation } from '../../core/plan/situation.ts';
import { declaredSlots } from '../../core/plan/unused.ts';
import { type BacklogCells, postgresBacklogCells } from './backlog-cells.ts';
import { readPlanLimits } from './plan-limits.ts';
import { planRoute, readAnswers, readParked, readRoutes } from './plan-routes.ts';
import { ALIVE } from './process-registry.ts';

/** A lane on which more than this comes to nothing is closed by its breaker before long. */
const MOST_FAILURE_SHARE = 0.5;
/** The reserve above the mean that is made before a lane has shown its tokenizer: four deviations of a sixteenth (`measure_of`). */
const FIRST_TOKEN_MARGIN = 1.25;

/** A lane that has been without a worker for longer is not expected back. `lane_queue` is told of use once a minute. */
const AWAY = '10 minutes';

/** The {@link SituationReader} on a pool of connections to the record. One per process: it remembers what is dear to count. */
export const postgresSituationReader = (pool: pg.Pool): SituationReader => {
  const backlog = postgresBacklogCells(pool);
  return { read: (served) => read(pool, backlog, served) };
};

const read = async (
  pool: pg.Pool,
  backlog: BacklogCells,
  served: readonly ServedLane[],
): Promise<Situation> => {
  const providerIds = [...new Set(served.map(({ provider }) => provider.id))];
  const scopes = [...providerIds, ...served.map(({ lane }) => lane.id)];
  const [waiting, answers, lanes, providers, limits, nowMs] = await Promise.all([
    readWaiting(pool, backlog),
    readAnswers(pool),
    readLanes(pool, served),
    readProviders(pool, providerIds),
    readPlanLimits(pool, scopes),
    readNowMs(pool),
  ]);
  const routes = waiting.routes.map((route) => ({ ...route, countedBeforeMs: backlog.ageMs(route.id) }));
  return { nowMs, cells: waiting.cells, routes, answers, lanes, providers, limits };
};

const readNowMs = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query<{ now_ms: number }>('SELECT now_ms() AS now_ms');
  return rows[0]?.now_ms ?? 0;
};

/** What waits, and where it may go. */
const readWaiting = async (
  pool: pg.Pool,
  backlog: BacklogCells,
): Promise<Pick<Situation, 'cells' | 'routes'>> => {
  const routes = await readRoutes(pool);
  const [pending, parked] = await Promise.all([
    backlog.read(routes.map(({ id }) => id)),
    readParked(pool, routes),
  ]);
  return { cells: [...pending, ...parked.cells], routes: [...routes.map(planRoute), ...parked.routes] };
};

interface LaneRow {
  readonly laneId: string;
  readonly slots: number;
  readonly callMs: number | null;
  readonly waitingMs: number | null;
  readonly hasEnded: boolean;
  /** It was granted calls a moment ago. */
  readonly wasServed: boolean;
  readonly failureShare: number;
  readonly tokenRatio: number;
  readonly tokenRatioAtMost: number;
  /** Somebody paused it, or has to mend something. */
  readonly isShut: boolean;
  readonly opensAtMs: number;
}

const readLanes = async (pool: pg.Pool, served: readonly ServedLane[]): Promise<readonly PlanLane[]> => {
  const { rows } = await pool.query<LaneRow>(
    `SELECT l.id AS "laneId", least(w.slots, c.amount) AS slots, t.mean_call_ms AS "callMs", now_ms() - o.begun_at_ms AS "waitingMs", coalesce(t.calls > 0, false) AS "hasEnded",
       least(${MOST_FAILURE_SHARE}, coalesce(t.failure_share, 0)) AS "failureShare",
       least(m.token_ratio, coalesce(t.token_ratio, m.token_ratio / ${FIRST_TOKEN_MARGIN})) AS "tokenRatio", m.token_ratio AS "tokenRatioAtMost",
       coalesce(u.used_at > clock_timestamp() - interval '${AWAY}', false) AS "wasServed",
       h.needs_user OR EXISTS (SELECT FROM lane_pause p WHERE p.lane_id = l.id) AS "isShut", h.until_ms AS "opensAtMs"
     FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS l (id, provider_id, max_output, place)
     LEFT JOIN lane_total t ON t.lane_id = l.id
     LEFT JOIN lane_queue u ON u.lane_id = l.id
     CROSS JOIN LATERAL measure_of(l.id, l.max_output) AS m
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(wl.slots), 0) AS slots FROM worker_lane wl JOIN process w ON w.id = wl.worker_id
       WHERE wl.lane_id = l.id AND ${ALIVE}
     ) AS w
     LEFT JOIN (
       SELECT g.lane_id, min(g.begun_at_ms) AS begun_at_ms FROM grants g WHERE g.state = 'begun' GROUP BY g.lane_id
     ) AS o ON o.lane_id = l.id
     CROSS JOIN LATERAL (
       SELECT min(q.amount) AS amount FROM quota_limit q WHERE q.scope IN (l.id, l.provider_id) AND q.metric = 'calls' AND q.active
     ) AS c
     CROSS JOIN LATERAL (
       SELECT coalesce(bool_or(e.needs_user AND e.closed_until_ms > now_ms()), false) AS needs_user,
         coalesce(max(greatest(e.closed_until_ms, e.breaker_until_ms)), 0) AS until_ms
       FROM health e WHERE e.scope IN (l.id, l.provider_id)
     ) AS h
     ORDER BY l.place`,
    [
      served.map(({ lane }) => lane.id),
      served.map(({ lane }) => lane.providerId),
      served.map(({ lane }) => lane.maxOutputTokens),
    ],
  );
  const byId = new Map(rows.map((row) => [row.laneId, row]));
  const lengths = callLengths(rows);
  const lengthById = new Map(rows.map(({ laneId }, index) => [laneId, lengths[index]]));
  return served.flatMap(({ lane, provider }): readonly PlanLane[] => {
    const row = byId.get(lane.id);
    const length = lengthById.get(lane.id);
    if (row === undefined || length === undefined) return [];
    const known = planLane({ lane, provider }, row, length);
    if (provider.tier !== 'paid') return [known];
    // Without a price nothing is ever granted on it.
    return lane.price === undefined ? [] : [{ ...known, price: lane.price }];
  });
};

const planLane = (
  { lane, provider }: ServedLane,
  { laneId: id, slots, wasServed, failureShare, tokenRatio, tokenRatioAtMost, isShut, opensAtMs }: LaneRow,
  length: CallLength,
): PlanLane => ({
  ...length,
  id,
  slots,
  ...(slots < 1 && wasServed ? { awaySlots: declaredSlots(provider, lane) } : {}),
  failureShare,
  tokenRatio,
  tokenRatioAtMost,
  providerId: lane.providerId,
  contextTokens: lane.contextTokens,
  maxOutputTokens: lane.maxOutputTokens,
  opensAtMs: isShut ? Infinity : opensAtMs,
  ...(lane.unitCost === undefined ? {} : { unitCost: lane.unitCost }),
});

const readProviders = async (
  pool: pg.Pool,
  providerIds: readonly string[],
): Promise<readonly PlanProvider[]> => {
  const { rows } = await pool.query<PlanProvider>(
    `SELECT p.id, (SELECT min(q.amount) FROM quota_limit q WHERE q.scope = p.id AND q.metric = 'calls' AND q.active) AS concurrency
     FROM unnest($1::text[]) WITH ORDINALITY AS p (id, place) ORDER BY p.place`,
    [providerIds],
  );
  return rows;
};
