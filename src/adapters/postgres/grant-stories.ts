/** The stories behind jobs, in PostgreSQL. */
import type pg from 'pg';
import type { GrantStories, GrantStory } from '../../app/grant-stories.ts';

/** The {@link GrantStories} on a pool of connections to the record. */
export const postgresGrantStories = (pool: pg.Pool): GrantStories => ({
  async storiesOf(grantIds) {
    if (grantIds.length === 0) return [];
    const { rows } = await pool.query<GrantStory>(
      `SELECT g.id AS "grantId", g.lane_id AS "laneId", b.id AS "batchId", b.name AS "batchName", r.custom_id AS "customId",
         r.line_number AS "lineNumber", g.state, g.outcome, g.reason, g.granted_at_ms AS "grantedAtMs",
         g.begun_at_ms AS "begunAtMs", g.closed_at_ms AS "closedAtMs", g.used_prompt_tokens AS "promptTokens",
         g.used_completion_tokens AS "completionTokens", r.line
       FROM grants g JOIN request r ON r.id = g.request_id JOIN batch b ON b.id = r.batch_id
       WHERE g.id = ANY ($1::bigint[])`,
      [grantIds],
    );
    return rows;
  },
});
