/** What happened to the lines of a batch, read from the record without locking anything. */
import type pg from 'pg';
import type { AttemptStory, ExplainReader, LaneTotal, LineStory } from '../../app/explain.ts';

/** How many custom ids on either side of a missing one are offered for a suggestion. */
const NEIGHBOURS = 100;

/** The {@link ExplainReader} on a pool of connections to the record. */
export const postgresExplainReader = (pool: pg.Pool): ExplainReader => ({
  line: (batchId, customId) => readLine(pool, batchId, customId),
  customIdsNear: (batchId, customId) => customIdsNear(pool, batchId, customId),
  async batchNames() {
    const { rows } = await pool.query<{ name: string }>('SELECT name FROM batch ORDER BY id DESC LIMIT 1000');
    return rows.map(({ name }) => name);
  },
  laneTotals: (batchId) => laneTotals(pool, batchId),
  async serverVersion() {
    const { rows } = await pool.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    return rows[0]?.version ?? 'unknown';
  },
});

type LineRow = Omit<LineStory, 'attempts'> & { readonly requestId: number };

/** The good line first, then the earliest; a bad line without a custom id is found by its number. */
const readLine = async (pool: pg.Pool, batchId: number, customId: string): Promise<LineStory | null> => {
  const { rows } = await pool.query<LineRow>(
    `SELECT now_ms() AS "atMs", r.id AS "requestId", r.line_number AS "lineNumber", r.custom_id AS "customId", r.state,
       rt.pool_name AS "poolName", coalesce(p.lane_ids, '{}') AS "laneIds",
       r.prompt_tokens AS "promptTokens", r.output_tokens AS "outputTokens", r.output_is_asked AS "outputIsAsked",
       r.tries, r.excluded, r.avoided, r.due_at_ms AS "dueAtMs",
       CASE WHEN r.state = 'bad' THEN r.line ELSE (SELECT s.line FROM result s WHERE s.request_id = r.id) END AS "finalLine",
       ARRAY(SELECT d.line_number FROM request d
             WHERE d.batch_id = r.batch_id AND d.custom_id = r.custom_id AND d.state = 'bad' AND d.id <> r.id
             ORDER BY d.line_number LIMIT 20) AS "duplicateLineNumbers",
       (SELECT count(DISTINCT w.id) FROM process w JOIN worker_lane wl ON wl.worker_id = w.id
        WHERE wl.lane_id = ANY (p.lane_ids) AND w.heartbeat_at > clock_timestamp() - interval '15 s') AS workers
     FROM request r LEFT JOIN route rt ON rt.id = r.route_id LEFT JOIN pool p ON p.batch_id = rt.batch_id AND p.name = rt.pool_name
     WHERE r.batch_id = $1 AND (r.custom_id = $2 OR (r.custom_id IS NULL AND r.line_number = $3))
     ORDER BY r.state = 'bad', r.line_number LIMIT 1`,
    [batchId, customId, lineNumberIn(customId)],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const { requestId, ...line } = row;
  return { ...line, attempts: await readAttempts(pool, requestId) };
};

/** The number in a final line's `id` such as `batch_req_line_17`; 0 is no line's. */
const lineNumberIn = (customId: string): number =>
  Number(/^batch_req_line_(\d{1,9})$/.exec(customId)?.[1] ?? 0);

const readAttempts = async (pool: pg.Pool, requestId: number): Promise<readonly AttemptStory[]> => {
  const { rows } = await pool.query<AttemptStory>(
    `SELECT lane_id AS "laneId", provider_id AS "providerId", state, granted_at_ms AS "grantedAtMs",
       begun_at_ms AS "begunAtMs", closed_at_ms AS "closedAtMs", outcome, reason,
       used_prompt_tokens AS "promptTokens", used_completion_tokens AS "completionTokens"
     FROM grants WHERE request_id = $1 ORDER BY id`,
    [requestId],
  );
  return rows;
};

const customIdsNear = async (
  pool: pg.Pool,
  batchId: number,
  customId: string,
): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ customId: string }>(
    `(SELECT custom_id AS "customId" FROM request WHERE batch_id = $1 AND custom_id >= $2 ORDER BY custom_id LIMIT $3)
     UNION (SELECT custom_id FROM request WHERE batch_id = $1 AND custom_id < $2 ORDER BY custom_id DESC LIMIT $3)
     UNION (SELECT custom_id FROM request WHERE batch_id = $1 AND custom_id IS NOT NULL ORDER BY line_number LIMIT $3)`,
    [batchId, customId, NEIGHBOURS],
  );
  return rows.map((row) => row.customId);
};

const laneTotals = async (pool: pg.Pool, batchId: number): Promise<readonly LaneTotal[]> => {
  const { rows } = await pool.query<LaneTotal>(
    `SELECT g.lane_id AS "laneId", count(*) AS calls, count(*) FILTER (WHERE g.outcome = 'succeeded') AS succeeded,
       count(*) FILTER (WHERE g.outcome IN ('minute-limit', 'day-limit')) AS rejected,
       coalesce(sum(g.used_prompt_tokens), 0) AS "promptTokens",
       coalesce(sum(g.used_completion_tokens), 0) AS "completionTokens"
     FROM grants g JOIN request r ON r.id = g.request_id
     WHERE r.batch_id = $1 AND g.state = 'closed' AND g.outcome <> 'released'
     GROUP BY g.lane_id ORDER BY calls DESC, g.lane_id`,
    [batchId],
  );
  return rows;
};
