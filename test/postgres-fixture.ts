/** A record of its own for a test, on an embedded PostgreSQL that all test files of a worker share. */
import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { openEmbeddedPostgres } from '../src/adapters/embedded-postgres/open.ts';
import { type PostgresAddress, connectRecord } from '../src/adapters/postgres/connect.ts';
import { migrateRecord } from '../src/adapters/postgres/migrate.ts';

/**
 * Kept between runs, so that only the first has to make it; one per user, clone and worker: what is read in the order of
 * completion waits for every older transaction of a server, whatever test it is of.
 */
const dataDirectoryOf = (worker: string): string =>
  join(
    tmpdir(),
    `nightshift-test-${userInfo().uid}-${createHash('sha256')
      .update(import.meta.url)
      .digest('hex')
      .slice(0, 8)}-${worker}`,
  );

/** Vitest numbers its workers from 1. */
const DATA_DIRECTORY = dataDirectoryOf(process.env['VITEST_POOL_ID'] ?? '1');

/** What new databases are copies of: an empty record, or nothing at all. */
const MIGRATED = 'test_migrated';
const EMPTY = 'template1';

/** An empty, migrated record. */
export interface TestRecord {
  readonly address: PostgresAddress;
  readonly pool: pg.Pool;
}

/**
 * Makes an empty record in a database named after the test. It is dropped when the test has passed, and kept for a
 * look when it has failed; the next run of the test replaces it.
 */
export const openTestRecord = async (context: TestContext): Promise<TestRecord> => {
  const { address } = await openDatabaseFor(context, MIGRATED);
  const pool = connectRecord(address, () => undefined);
  context.onTestFinished(() => pool.end());
  return { address, pool };
};

/** A record for suites that know nothing of tests: it is dropped whatever comes of them. One at a time has that name. */
export const openNamedRecord = async (name: string): Promise<TestRecord & AsyncDisposable> => {
  const database = await makeDatabase(name, MIGRATED);
  const pool = connectRecord(database.address, () => undefined);
  return {
    address: database.address,
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database.drop();
      await database.leave();
    },
  };
};

/** An empty database without a record, for a test of how records are made. */
export const openTestDatabase = (context: TestContext): Promise<{ readonly address: PostgresAddress }> =>
  openDatabaseFor(context, EMPTY);

const openDatabaseFor = async (
  { task, onTestFinished }: TestContext,
  template: string,
): Promise<{ readonly address: PostgresAddress }> => {
  const database = await makeDatabase(`${task.file.name} ${task.fullTestName}`, template);
  onTestFinished(async () => {
    if (task.result?.state === 'pass') await database.drop();
    await database.leave();
  });
  return { address: database.address };
};

/**
 * Holds a server open for each worker, so that none need start again for each test, and migrates once what every record is
 * a copy of. The setup of the project `integration`.
 */
export const setup = async ({ config }: TestProject): Promise<() => Promise<void>> => {
  const workers = Array.from({ length: config.maxWorkers }, (_, index) => String(index + 1));
  await using stack = new AsyncDisposableStack();
  for (const worker of workers) {
    const server = stack.use(await openEmbeddedPostgres({ dataDirectory: dataDirectoryOf(worker) }));
    await administer(server.connection, [
      `DROP DATABASE IF EXISTS ${MIGRATED} WITH (FORCE)`,
      `CREATE DATABASE ${MIGRATED}`,
    ]);
    await migrateRecord({ ...server.connection, database: MIGRATED });
  }
  const opened = stack.move();
  return () => opened.disposeAsync();
};

/** A database on the shared server, and how to leave it behind. */
interface TestDatabase {
  readonly address: PostgresAddress;
  drop(): Promise<void>;
  leave(): Promise<void>;
}

const makeDatabase = async (name: string, template: string): Promise<TestDatabase> => {
  const server = await openEmbeddedPostgres({ dataDirectory: DATA_DIRECTORY });
  const database = databaseFor(name);
  await administer(server.connection, [
    `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`,
    `CREATE DATABASE ${database} TEMPLATE ${template}`,
    `ALTER DATABASE ${database} SET synchronous_commit = off`,
  ]);
  return {
    address: { ...server.connection, database },
    drop: () => administer(server.connection, [`DROP DATABASE ${database} WITH (FORCE)`]),
    leave: () => server.close(),
  };
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
