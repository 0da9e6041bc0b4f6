/** BullMQ on PostgreSQL: the embedded home. */
import { createPostgresBackend, type PgPool, type PostgresConnectionOptions, type PostgresQueueBackend, runMigrations } from 'bullmq';
import pg from 'pg';
import type { PostgresAddress } from '../postgres/connect.ts';
import type { QueueBackend } from './lane-queues.ts';

/** BullMQ's default schema; a ready-made pool cannot name another. */
const SCHEMA = 'bullmq';
/** One LISTEN connection per queue and worker comes out of the pool, the rest run commands. */
const MOST_CONNECTIONS = 80;

/** Makes BullMQ's tables if they are missing and opens a pool for its queues. */
export const openPostgresBackend = async (
  address: PostgresAddress,
  onIdleError: (error: Error) => void,
): Promise<QueueBackend<PostgresQueueBackend, PostgresConnectionOptions> & AsyncDisposable> => {
  const pool = new pg.Pool({
    ...address,
    options: `-c search_path=${SCHEMA}`,
    max: MOST_CONNECTIONS,
    keepAlive: true,
    application_name: 'nightshift-queues',
  });
  pool.on('error', onIdleError);
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
  return {
    factory: createPostgresBackend,
    connection: pool as PgPool,
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
};
