/** BullMQ on PostgreSQL: the embedded home. */
import {
  createPostgresBackend,
  isPgPool,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  runMigrations,
} from 'bullmq';
import pg from 'pg';
import { type PostgresAddress, withServerOptions } from '../postgres/connect.ts';
import type { QueueBackend } from './lane-queues.ts';

/** BullMQ's default schema; a ready-made pool cannot name another. */
const SCHEMA = 'bullmq';
/** One LISTEN connection per queue and worker comes out of the pool, the rest run commands. */
const MOST_CONNECTIONS = 150;

/** Makes BullMQ's tables if they are missing and opens a pool for its queues. */
export const openPostgresBackend = async (
  address: PostgresAddress,
  onIdleError: (error: Error) => void,
): Promise<QueueBackend<PostgresQueueBackend, PostgresConnectionOptions>> => {
  const pool = new pg.Pool({
    // The queue is disposable: what a crash of the server loses is added again.
    ...withServerOptions(address, `-c search_path=${SCHEMA} -c synchronous_commit=off`),
    max: MOST_CONNECTIONS,
    keepAlive: true,
    application_name: 'nightshift-queues',
  });
  // Every queue and worker listens to the pool for itself.
  pool.setMaxListeners(0);
  pool.on('error', onIdleError);
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
  const shared: unknown = pool;
  if (!isPgPool(shared))
    throw new Error('Expected BullMQ to take a pool of `pg`, but it does not: their versions do not fit.');
  return {
    factory: createPostgresBackend,
    queueConnection: shared,
    workerConnection: shared,
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
};
