/** The roll of all batches, in PostgreSQL. Reads no request. */
import type pg from 'pg';
import type { BatchGroup, BatchRoll } from '../../app/grant-stories.ts';
import type { Batch } from '../../app/batch-store.ts';
import { BATCH_COLUMNS } from './batch-store.ts';

/** What a batch of each group is. */
const CONDITIONS: Readonly<Record<BatchGroup, string>> = {
  running: "state = 'in_progress' AND NOT is_paused",
  paused: "state = 'in_progress' AND is_paused",
  completed: "state = 'completed'",
  cancelled: "state IN ('cancelling', 'cancelled', 'expiring', 'expired')",
};

/** The {@link BatchRoll} on a pool of connections to the record. */
export const postgresBatchRoll = (pool: pg.Pool): BatchRoll => ({
  async counts() {
    const columns = Object.entries(CONDITIONS).map(
      ([group, condition]) => `count(*) FILTER (WHERE ${condition}) AS ${group}`,
    );
    const { rows } = await pool.query<Record<BatchGroup, number>>(`SELECT ${columns.join(', ')} FROM batch`);
    return rows[0] ?? { running: 0, paused: 0, completed: 0, cancelled: 0 };
  },
  async page(group, { skip, atMost }) {
    const { rows } = await pool.query<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM batch WHERE ${CONDITIONS[group]} ORDER BY id DESC OFFSET $1 LIMIT $2`,
      [skip, atMost],
    );
    return rows;
  },
});
