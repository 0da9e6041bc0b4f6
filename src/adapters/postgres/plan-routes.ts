/** Routes of the open batches as a plan sees them, those that parked requests will be on, and what answers came to. */
import type pg from 'pg';
import { lastOpenMs, type NightWindow } from '../../core/night-window.ts';
import type { AnswerTally, BacklogCell, PlanRoute } from '../../core/plan/situation.ts';
import { BAND_STARTS, cellOf, type CellRow } from './backlog-cells.ts';

/** A route with what it was made of. */
export interface RouteRow extends Omit<PlanRoute, 'laneIds' | 'laneIdsSoon' | 'pays' | 'expiresAtMs'> {
  /** Of its batch's budget; `null` where it has none. */
  readonly moneyLeftNanoDollars: number | null;
  readonly deadlineAtMs: number | null;
  readonly nightWindow: NightWindow | null;
  readonly poolName: string;
  readonly poolLaneIds: readonly string[];
  /** Lanes and providers, sorted. */
  readonly excluded: readonly string[];
  /** Those of them that come back after some minutes. */
  readonly avoided: readonly string[];
}

/** The routes of all batches in progress that are not paused. */
export const readRoutes = async (pool: pg.Pool): Promise<readonly RouteRow[]> => {
  const { rows } = await pool.query<RouteRow>(
    `SELECT r.id, r.batch_id AS "batchId", b.priority, r.pool_name AS "poolName", p.lane_ids AS "poolLaneIds", r.excluded, r.avoided,
       b.max_cost_nano_dollars - b.spent_nano_dollars - b.held_nano_dollars AS "moneyLeftNanoDollars", b.deadline_at_ms AS "deadlineAtMs", b.night_window AS "nightWindow"
     FROM batch b JOIN pool p ON p.batch_id = b.id JOIN route r ON r.batch_id = p.batch_id AND r.pool_name = p.name
     WHERE b.state = 'in_progress' AND NOT b.is_paused AND is_night_open(b.night_window, now_ms()) ORDER BY r.id`,
  );
  return rows;
};

/** The route as a plan wants it. */
export const planRoute = ({
  id,
  batchId,
  priority,
  poolLaneIds,
  excluded,
  avoided,
  moneyLeftNanoDollars,
  deadlineAtMs,
  nightWindow,
}: RouteRow): PlanRoute => ({
  id,
  batchId,
  priority,
  laneIds: lanesWithout(poolLaneIds, excluded),
  ...(avoided.length === 0
    ? {}
    : {
        laneIdsSoon: lanesWithout(
          poolLaneIds,
          excluded.filter((scope) => !avoided.includes(scope)),
        ),
      }),
  ...untilWhen(moneyLeftNanoDollars, deadlineAtMs === null ? null : lastOpenMs(nightWindow, deadlineAtMs)),
});

/** The lanes that are not among those lanes and providers. */
const lanesWithout = (laneIds: readonly string[], scopes: readonly string[]): readonly string[] =>
  laneIds.filter((laneId) => !scopes.includes(laneId) && !scopes.includes(providerOf(laneId)));

/** What a deadline means to it: that the rest is paid for, or that it expires. */
const untilWhen = (
  moneyLeftNanoDollars: number | null,
  deadlineAtMs: number | null,
): Pick<PlanRoute, 'pays' | 'expiresAtMs'> => {
  if (moneyLeftNanoDollars !== null) return { pays: { deadlineAtMs, leftNanoDollars: moneyLeftNanoDollars } };
  return deadlineAtMs === null ? {} : { expiresAtMs: deadlineAtMs };
};

/** So many of the last calls tell how long answers are. */
const TELLING_CALLS = 2_048;

/** What the answers of the last calls came to, by batch and size of prompt. */
export const readAnswers = async (pool: pg.Pool): Promise<readonly AnswerTally[]> => {
  const { rows } = await pool.query<AnswerTally>(
    `SELECT q.batch_id AS "batchId", width_bucket(q.prompt_tokens, $1::integer[]) - 1 AS band,
       count(*) AS answers, sum(g.used_completion_tokens) AS tokens
     FROM grants g JOIN request q ON q.id = g.request_id
     WHERE g.id > (SELECT coalesce(max(id), 0) FROM grants) - ${TELLING_CALLS} AND g.outcome = 'succeeded' AND g.used_completion_tokens IS NOT NULL
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [BAND_STARTS],
  );
  return rows;
};

const providerOf = (laneId: string): string => laneId.slice(0, laneId.indexOf('/'));

interface ParkedRow extends CellRow {
  readonly excluded: readonly string[];
}

/**
 * Requests that wait for an instant. What they avoid until then is left out of their route, so they count on the one that
 * they will have: one of `routes`, or one of our own with a negative number, from which nobody can be granted.
 */
export const readParked = async (
  pool: pg.Pool,
  routes: readonly RouteRow[],
): Promise<{ readonly cells: readonly BacklogCell[]; readonly routes: readonly PlanRoute[] }> => {
  const { rows } = await pool.query<ParkedRow>(
    `SELECT q.route_id AS "routeId", x.excluded, q.output_is_asked AS "outputIsAsked", q.output_tokens AS "capTokens",
       width_bucket(q.prompt_tokens, $1::integer[]) - 1 AS band, count(*) AS count, sum(q.prompt_tokens) AS "promptTokens", max(q.prompt_tokens) AS "largestTokens"
     FROM request q
     CROSS JOIN LATERAL (SELECT ARRAY(SELECT DISTINCT e FROM unnest(q.excluded) AS e ORDER BY e) AS excluded) AS x
     WHERE q.state = 'parked' AND q.due_at_ms IS NOT NULL AND q.route_id = ANY ($2::integer[])
     GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
    [BAND_STARTS, routes.map(({ id }) => id)],
  );
  const present = new Map(routes.map((route) => [route.id, route]));
  const named = new Map(routes.map((route) => [nameOf(route), route]));
  const cells = rows.flatMap(({ excluded, ...row }): readonly BacklogCell[] => {
    const now = present.get(row.routeId);
    if (now === undefined) return [];
    const later = { ...now, excluded, avoided: [], id: -1 - named.size };
    const name = nameOf(later);
    if (!named.has(name)) named.set(name, later);
    return [cellOf({ ...row, routeId: named.get(name)?.id ?? later.id })];
  });
  return { cells, routes: [...named.values()].filter(({ id }) => id < 0).map(planRoute) };
};

const nameOf = ({ batchId, poolName, excluded, avoided }: RouteRow): string =>
  JSON.stringify([batchId, poolName, excluded, avoided]);
