/** Of which providers users were told, in PostgreSQL. */
import type pg from 'pg';
import type { NoticeBook } from '../../app/notices.ts';

/** The {@link NoticeBook} on a pool of connections to the record. */
export const postgresNoticeBook = (pool: pg.Pool): NoticeBook => ({
  untold: async (providerIds) => {
    const { rows } = await pool.query<{ provider_id: string }>(
      `SELECT p AS provider_id FROM unnest($1::text[]) AS p
       WHERE NOT EXISTS (SELECT FROM notice_told t WHERE t.provider_id = p)`,
      [providerIds],
    );
    return new Set(rows.map((row) => row.provider_id));
  },
  markTold: async (providerIds) => {
    await pool.query(
      `INSERT INTO notice_told (provider_id, told_at_ms) SELECT DISTINCT p, now_ms() FROM unnest($1::text[]) AS p
       ON CONFLICT (provider_id) DO NOTHING`,
      [providerIds],
    );
  },
});
