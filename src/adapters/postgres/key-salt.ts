/** The salt of this record's key fingerprints. */
import type pg from 'pg';

/** Made once with the record; fingerprints made with it mean nothing elsewhere. */
export const readKeySalt = async (pool: pg.Pool): Promise<string> => {
  const { rows } = await pool.query<{ key_salt: string }>('SELECT key_salt FROM installation');
  return rows[0]?.key_salt ?? '';
};
