/**
 * What waits, counted by size. An index alone answers where its table is at rest; where rows have just come or gone, each
 * has to be looked at, and a million of them take seconds. So every route is counted as often as it is cheap to count, and
 * what was counted last stands until then: the more there is, the less a few minutes change.
 */
import type pg from 'pg';
import type { BacklogCell } from '../../core/plan/situation.ts';
import { bandOf, bandRange } from '../../core/plan/bands.ts';

/** Counts the backlog of routes. */
export interface BacklogCells {
  /** The pending requests of these routes; those of large ones as they were a while ago. */
  read(routeIds: readonly number[]): Promise<readonly BacklogCell[]>;
  /** How old the count of a route is that was read last, in real ms; 0 for one that was not among them. */
  ageMs(routeId: number): number;
}

/** A route is counted again after so many times as long as it took: a twentieth of one connection's time at most. */
const REST_PER_MS = 20;
/** Routes with more requests than this are counted one by one, so that the others need not rest for them. */
const LARGE = 10_000;
/** The largest prompt that a row can have. */
const MOST_TOKENS = 2 ** 31 - 1;

/** Where bands begin, for `width_bucket`: so the record has the bands of {@link bandOf} without any arithmetic of its own. */
export const BAND_STARTS: readonly number[] = Array.from(
  { length: bandOf(MOST_TOKENS) + 1 },
  (_, band) => bandRange(band).fromTokens,
);

interface CountedRoute {
  readonly cells: readonly BacklogCell[];
  readonly size: number;
  readonly beganAtMs: number;
  readonly nextAtMs: number;
}

/** Counts on a pool of connections to the record, and remembers what is dear to count. `realNowMs` is a clock that runs evenly. */
export const postgresBacklogCells = (
  pool: pg.Pool,
  realNowMs: () => number = () => performance.now(),
): BacklogCells => {
  const countRoutes = countingRoutes(pool, realNowMs);
  let counted: ReadonlyMap<number, CountedRoute> = new Map();
  return {
    async read(routeIds) {
      const nowMs = realNowMs();
      const due = routeIds.filter((id) => (counted.get(id)?.nextAtMs ?? 0) <= nowMs);
      const isLarge = (id: number): boolean => (counted.get(id)?.size ?? 0) > LARGE;
      const together = due.filter((id) => !isLarge(id));
      const fresh = new Map(counted);
      for (const some of [together, ...due.filter(isLarge).map((id) => [id])])
        for (const [id, route] of await countRoutes(some)) fresh.set(id, route);
      counted = new Map([...fresh].filter(([id]) => routeIds.includes(id)));
      return [...counted.values()].flatMap(({ cells }) => cells);
    },
    ageMs(routeId) {
      const nowMs = realNowMs();
      return nowMs - (counted.get(routeId)?.beganAtMs ?? nowMs);
    },
  };
};

/** Each of them rests as if it alone had taken all the time: what is there no more takes time, too. */
const countingRoutes =
  (pool: pg.Pool, realNowMs: () => number) =>
  async (routeIds: readonly number[]): Promise<readonly (readonly [id: number, route: CountedRoute])[]> => {
    if (routeIds.length === 0) return [];
    const beganAtMs = realNowMs();
    const byRoute = Map.groupBy(await count(pool, routeIds), ({ routeId }) => routeId);
    const endedAtMs = realNowMs();
    const nextAtMs = endedAtMs + (endedAtMs - beganAtMs) * REST_PER_MS;
    return routeIds.map((id) => {
      const cells = byRoute.get(id) ?? [];
      return [id, { cells, size: cells.reduce((sum, cell) => sum + cell.count, 0), beganAtMs, nextAtMs }];
    });
  };

/** A cell as it is counted by bands. */
export interface CellRow {
  readonly routeId: number;
  readonly outputIsAsked: boolean;
  readonly capTokens: number;
  readonly band: number;
  readonly count: number;
  readonly promptTokens: number;
  readonly largestTokens: number;
}

/** Equal prompts first, then bands: the index brings them in that order, and there are fewer of them to put into bands. */
const count = async (pool: pg.Pool, routeIds: readonly number[]): Promise<readonly BacklogCell[]> => {
  const { rows } = await pool.query<CellRow>(
    `SELECT s.route_id AS "routeId", s.output_is_asked AS "outputIsAsked", s.output_tokens AS "capTokens",
       width_bucket(s.prompt_tokens, $1::integer[]) - 1 AS band, sum(s.requests) AS count,
       sum(s.requests * s.prompt_tokens) AS "promptTokens", max(s.prompt_tokens) AS "largestTokens"
     FROM (
       SELECT route_id, output_is_asked, output_tokens, prompt_tokens, count(*) AS requests FROM request
       WHERE state = 'pending' AND route_id = ANY ($2::integer[])
       GROUP BY route_id, output_is_asked, output_tokens, prompt_tokens
     ) AS s
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    [BAND_STARTS, routeIds],
  );
  return rows.map(cellOf);
};

/** The cell with the prompts of its band. */
export const cellOf = ({ band, ...row }: CellRow): BacklogCell => ({ ...row, ...bandRange(band) });
