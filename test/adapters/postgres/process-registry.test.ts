import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { postgresWorkerRegistry } from '../../../src/adapters/postgres/worker-registry.ts';
import { openTestRecord } from '../../postgres-fixture.ts';

const LANES = [{ laneId: 'alpha/small', slots: 2 }];
/** Longer than two heartbeats. */
const PATIENCE_MS = 10_000;

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadlineMs = Date.now() + PATIENCE_MS; !isSo(); await delay(20)) {
    if (Date.now() > deadlineMs)
      throw new Error(`Expected it within ${PATIENCE_MS} ms, but it did not happen.`);
  }
};

test('a worker that was given up for dead while it slept takes a new seat, with its lanes', async (context) => {
  const { address, pool } = await openTestRecord(context);
  const seat = await postgresWorkerRegistry(address, () => {}).join(LANES);
  const before = seat.id;
  await pool.query('DELETE FROM worker WHERE id = $1', [before]);
  await until(() => seat.id !== before);
  const { rows } = await pool.query('SELECT worker_id, lane_id, slots FROM worker_lane');
  await seat.leave();
  expect(rows).toEqual([{ worker_id: seat.id, lane_id: 'alpha/small', slots: 2 }]);
});

test('a sweep spares a worker that is silent but holds its lock, and takes one whose lock is gone', async (context) => {
  const { address, pool } = await openTestRecord(context);
  const seat = await postgresWorkerRegistry(address, () => {}).join(LANES);
  await pool.query("UPDATE worker SET heartbeat_at = heartbeat_at - interval '1 minute'");
  await pool.query("INSERT INTO worker (host, pid, started_at_ms) VALUES ('here', 1, now_ms())");
  await pool.query('SELECT sweep(600, 30)');
  const { rows } = await pool.query('SELECT id FROM worker');
  await seat.leave();
  expect(rows).toEqual([{ id: seat.id }]);
});
