/** Brings the record's schema up to date: numbered SQL files, each applied once, under one advisory lock. */
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { type PostgresAddress, RECORD_SCHEMA, recordClientConfig } from './connect.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
/** Any constant serves, as long as every process uses the same. */
const MIGRATION_LOCK = 7_316_001;
/** `UNIQUE NULLS NOT DISTINCT` is the newest thing the schema uses. */
const OLDEST_SERVER = 150_000;

/**
 * Applies what is missing, in order, in one transaction; a second process waits and finds nothing to do.
 *
 * @throws if the server is older than PostgreSQL 15, or the record was written by a newer Nightshift.
 */
export const migrateRecord = async (address: PostgresAddress): Promise<void> => {
  const client = new pg.Client(recordClientConfig(address));
  await client.connect();
  try {
    await requireServerVersion(client);
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${RECORD_SCHEMA}`);
    await client.query(
      'CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())',
    );
    await applyMissing(client);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
};

const applyMissing = async (client: pg.Client): Promise<void> => {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).toSorted();
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migration');
  const applied = new Set(rows.map((row) => row.name));
  const unknown = [...applied].find((name) => !files.includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `Expected a record that this version knows, got one with the newer migration ${unknown}. Update Nightshift, or use another --data directory.`,
    );
  }
  for (const file of files.filter((name) => !applied.has(name))) {
    await client.query(await readFile(new URL(file, MIGRATIONS), 'utf8'));
    await client.query('INSERT INTO migration (name) VALUES ($1)', [file]);
  }
};

const requireServerVersion = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ version: string }>(
    "SELECT current_setting('server_version_num') AS version",
  );
  const version = Number(rows[0]?.version);
  if (version < OLDEST_SERVER) {
    throw new Error(`Expected PostgreSQL 15 or newer, got ${Math.floor(version / 10_000)}.`);
  }
};
