/**
 * Brings the record's schema up to date, under one advisory lock: tables by numbered SQL files, each applied once;
 * functions by replacing them all whenever their text has changed.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { type PostgresAddress, RECORD_SCHEMA, recordClientConfig } from './connect.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
const FUNCTIONS = new URL('./functions/', import.meta.url);
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
    await replaceFunctions(client);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
};

const applyMissing = async (client: pg.Client): Promise<void> => {
  const files = await sqlFiles(MIGRATIONS);
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migration');
  const applied = new Set(rows.map((row) => row.name));
  const unknown = [...applied].find((name) => name > (files.at(-1) ?? ''));
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

/** Functions hold no data, so all of them are dropped and made anew; a process at work asks again and finds the new ones. */
const replaceFunctions = async (client: pg.Client): Promise<void> => {
  const texts: string[] = [];
  for (const file of await sqlFiles(FUNCTIONS)) texts.push(await readFile(new URL(file, FUNCTIONS), 'utf8'));
  const text = texts.join('\n');
  const hash = createHash('sha256').update(text).digest('hex');
  const { rows } = await client.query<{ hash: string }>('SELECT hash FROM function_set');
  if (rows[0]?.hash === hash) return;
  await client.query(DROP_FUNCTIONS);
  // They call each other in any order.
  await client.query('SET LOCAL check_function_bodies = off');
  await client.query(text);
  await client.query(
    'INSERT INTO function_set (hash) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET hash = EXCLUDED.hash',
    [hash],
  );
};

const DROP_FUNCTIONS = `DO $$
  DECLARE
    old regprocedure;
  BEGIN
    FOR old IN SELECT oid FROM pg_proc WHERE pronamespace = '${RECORD_SCHEMA}'::regnamespace LOOP
      EXECUTE 'DROP FUNCTION ' || old;
    END LOOP;
  END
$$`;

const sqlFiles = async (folder: URL): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();

const requireServerVersion = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ version: string }>(
    "SELECT current_setting('server_version_num') AS version",
  );
  const version = Number(rows[0]?.version);
  if (version < OLDEST_SERVER) {
    throw new Error(`Expected PostgreSQL 15 or newer, got ${Math.floor(version / 10_000)}.`);
  }
};
