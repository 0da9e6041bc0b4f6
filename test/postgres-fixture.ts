/** A record of its own for a test, on one embedded PostgreSQL that all test files share. */
import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestContext } from 'vitest';
import { openEmbeddedPostgres } from '../src/adapters/embedded-postgres/open.ts';
import { type PostgresAddress, connectRecord } from '../src/adapters/postgres/connect.ts';
import { migrateRecord } from '../src/adapters/postgres/migrate.ts';

/** Kept between runs, so that only the first has to make it; one per user and clone. */
const DATA_DIRECTORY = join(
  tmpdir(),
  `nightshift-test-${userInfo().uid}-${createHash('sha256')
    .update(import.meta.url)
    .digest('hex')
    .slice(0, 8)}`,
);

/** An empty, migrated record. */
export interface TestRecord {
  readonly address: PostgresAddress;
  readonly pool: pg.Pool;
}

/** Where records of tests can be made, and how to leave. */
interface TestServer {
  readonly address: PostgresAddress;
  leave(): Promise<void>;
}

/**
 * Makes an empty record in a database named after the test. It is dropped when the test has passed, and kept for a
 * look when it has failed; the next run of the test replaces it.
 */
export const openTestRecord = async ({ task, onTestFinished }: TestContext): Promise<TestRecord> => {
  const server = await openTestServer();
  const database = databaseFor(`${task.file.name} ${task.fullTestName}`);
  await administer(server.address, [
    `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`,
    `CREATE DATABASE ${database}`,
    `ALTER DATABASE ${database} SET synchronous_commit = off`,
  ]);
  const address = { ...server.address, database };
  await migrateRecord(address);
  const pool = connectRecord(address, () => undefined);
  onTestFinished(async () => {
    await pool.end();
    if (task.result?.state === 'pass')
      await administer(server.address, [`DROP DATABASE ${database} WITH (FORCE)`]);
    await server.leave();
  });
  return { address, pool };
};

const openTestServer = async (): Promise<TestServer> => {
  const server = await openEmbeddedPostgres({ dataDirectory: DATA_DIRECTORY });
  return { address: server.connection, leave: () => server.close() };
};

const databaseFor = (test: string): string =>
  `test_${createHash('sha256').update(test).digest('hex').slice(0, 16)}`;

const administer = async (address: PostgresAddress, statements: readonly string[]): Promise<void> => {
  const client = new pg.Client({ ...address });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};
