/** Seats of the processes that make calls: a row, an advisory lock that dies with the process, and a heartbeat. */
import { hostname } from 'node:os';
import type pg from 'pg';
import type { WorkerRegistry, WorkerSeat } from '../../app/ports.ts';
import type { PostgresAddress } from './connect.ts';
import { openStandingConnection } from './standing-connection.ts';

/** First key of the advisory locks that say "worker N lives"; `sweep` in the record looks for them. */
const WORKER_LOCK_CLASS = 7316;
/** Well under the silence after which a worker is granted nothing more (15 s). */
const HEARTBEAT_MS = 3_000;

/** Seats in PostgreSQL. A process whose connection breaks takes a new seat; the old one's open calls are lost. */
export const postgresWorkerRegistry = (
  address: PostgresAddress,
  onError: (error: Error) => void,
): WorkerRegistry => ({
  async join(lanes): Promise<WorkerSeat> {
    let workerId = 0;
    const connection = await openStandingConnection(
      address,
      async (client) => {
        workerId = await takeSeat(client, lanes);
      },
      onError,
    );
    const beat = async (client: pg.Client): Promise<void> => {
      const { rowCount } = await client.query(
        'UPDATE worker SET heartbeat_at = clock_timestamp() WHERE id = $1',
        [workerId],
      );
      // Given up for dead while this process was asleep: it takes a new seat and goes on.
      if (rowCount === 0) workerId = await takeSeat(client, lanes);
    };
    const heartbeat = setInterval(() => void connection.use(beat).catch(onError), HEARTBEAT_MS);
    return {
      get id() {
        return workerId;
      },
      async leave() {
        clearInterval(heartbeat);
        await connection
          .use((client) => client.query('DELETE FROM worker WHERE id = $1', [workerId]))
          .catch(onError);
        await connection[Symbol.asyncDispose]();
      },
    };
  },
});

/** The lock comes before the row is visible, so that no sweep ever sees a living worker without its lock. */
const takeSeat = async (
  client: pg.Client,
  lanes: readonly { readonly laneId: string; readonly slots: number }[],
): Promise<number> => {
  await client.query('BEGIN');
  const { rows } = await client.query<{ id: number }>(
    'INSERT INTO worker (host, pid, started_at_ms) VALUES ($1, $2, now_ms()) RETURNING id',
    [hostname(), process.pid],
  );
  const id = rows[0]?.id ?? 0;
  await client.query('SELECT pg_advisory_lock($1, $2)', [WORKER_LOCK_CLASS, id]);
  await client.query(
    'INSERT INTO worker_lane (worker_id, lane_id, slots) SELECT $1, l, s FROM unnest($2::text[], $3::integer[]) AS t (l, s)',
    [id, lanes.map((lane) => lane.laneId), lanes.map((lane) => lane.slots)],
  );
  await client.query("SELECT wake_dispatchers('*')");
  await client.query('COMMIT');
  return id;
};
