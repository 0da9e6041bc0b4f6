/** Lets changes of the record meet at a lock, in an order that the test chooses. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

/** Resolves once this many connections of the test's database wait for a lock. */
export const waitingForLocks = async (pool: pg.Pool, howMany: number): Promise<void> => {
  for (;;) {
    const { rows } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rows.length >= howMany) return;
    await delay(5);
  }
};

/** Holds rows while the work is started, one after the other; lets go before it is awaited. */
export const whileHolding = async (
  pool: pg.Pool,
  lockSql: string,
  starts: readonly (() => Promise<unknown>)[],
): Promise<void> => {
  const holder = await pool.connect();
  const started: Promise<unknown>[] = [];
  await holder.query('BEGIN');
  await holder.query(lockSql);
  for (const start of starts) {
    started.push(start());
    await waitingForLocks(pool, started.length);
  }
  await holder.query('COMMIT');
  holder.release();
  await Promise.all(started);
};
