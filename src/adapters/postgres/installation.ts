/** What makes this record itself and no other. */
import type pg from 'pg';

/** Made once, with the record. */
export interface Installation {
  /** Tells records apart that share a store of queues. */
  readonly id: string;
  /** Fingerprints of keys that are made with it mean nothing elsewhere. */
  readonly keySalt: string;
}

/** Reads it. */
export const readInstallation = async (pool: pg.Pool): Promise<Installation> => {
  const { rows } = await pool.query<Installation>('SELECT id, key_salt AS "keySalt" FROM installation');
  const [row] = rows;
  if (row === undefined) throw new Error('Expected the record to know its installation, got none.');
  return row;
};
