/** Seats of the processes that are at work: a row, an advisory lock that dies with the process, and a heartbeat. */
import { hostname } from 'node:os';
import type pg from 'pg';
import type {
  Announcement,
  LiveProcess,
  ProcessRegistry,
  Seat,
  ServedLane,
} from '../../app/process-registry.ts';
import {
  countingFingerprints,
  type KeyFingerprints,
  type OtherKey,
  secondKeyRefusal,
} from '../../app/second-key.ts';
import type { PostgresAddress } from './connect.ts';
import { openStandingConnection } from './standing-connection.ts';

/** First key of the advisory locks that say "process N lives"; `sweep` in the record looks for them. */
const PROCESS_LOCK_CLASS = 7316;
/** Held while a process joins, so that of two that come at once one sees the other. Any constant of ours serves. */
const JOIN_LOCK = 7_316_002;
/** Well under the silence after which a worker is granted nothing more (15 s). */
const HEARTBEAT_MS = 3_000;

/**
 * Seats in PostgreSQL. A process whose connection breaks takes its seat again; if somebody gave it up meanwhile, it takes a
 * new one, and the calls that the old one had begun are lost.
 *
 * @param fingerprintOf tells keys apart without showing them; `null` where a provider needs none. A process with another
 *   key for a free provider than a live one is refused its seat.
 */
export const postgresProcessRegistry = (
  address: PostgresAddress,
  pool: pg.Pool,
  onError: (error: Error) => void,
  fingerprintOf: (providerId: string) => string | null = () => null,
): ProcessRegistry => ({
  join: (announcement) =>
    join(address, { ...announcement, keys: countingFingerprints(announcement, fingerprintOf) }, onError),
  processes: () => processes(pool),
  servedLanes: () => servedLanes(pool),
  wantedLaneIds: () => wantedLaneIds(pool),
});

/** What a seat's row holds. */
interface Joining extends Announcement {
  readonly keys: KeyFingerprints;
}

const join = async (
  address: PostgresAddress,
  announcement: Joining,
  onError: (error: Error) => void,
): Promise<Seat> => {
  let processId = 0;
  const connection = await openStandingConnection(
    address,
    async (client) => {
      if (await retakeSeat(client, processId)) return;
      processId = await takeSeat(client, announcement);
    },
    onError,
  );
  const beat = async (client: pg.Client): Promise<void> => {
    const { rowCount } = await client.query(
      'UPDATE process SET heartbeat_at = clock_timestamp() WHERE id = $1',
      [processId],
    );
    // Given up for dead while this process was asleep: it takes a new seat and goes on.
    if (rowCount === 0) processId = await takeSeat(client, announcement);
  };
  const heartbeat = setInterval(() => void connection.use(beat).catch(onError), HEARTBEAT_MS);
  return {
    get id() {
      return processId;
    },
    async leave() {
      clearInterval(heartbeat);
      await connection
        .use((client) => client.query('DELETE FROM process WHERE id = $1', [processId]))
        .catch(onError);
      await connection[Symbol.asyncDispose]();
    },
  };
};

/** Whether the seat is still there, and locked by this connection. */
const retakeSeat = async (client: pg.Client, processId: number): Promise<boolean> => {
  const { rows } = await client.query<{ is_locked: boolean }>(
    'SELECT pg_try_advisory_lock($1, $2) AS is_locked',
    [PROCESS_LOCK_CLASS, processId],
  );
  if (rows[0]?.is_locked !== true) return false;
  const { rowCount } = await client.query(
    'UPDATE process SET heartbeat_at = clock_timestamp(), unlocked_at = NULL WHERE id = $1',
    [processId],
  );
  if (rowCount === 1) return true;
  await client.query('SELECT pg_advisory_unlock($1, $2)', [PROCESS_LOCK_CLASS, processId]);
  return false;
};

/** All or nothing. @throws Error that names the process with another key. */
const takeSeat = async (client: pg.Client, joining: Joining): Promise<number> => {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [JOIN_LOCK]);
    const other = await otherKeyAtWork(client, joining.keys);
    if (other !== undefined) throw secondKeyRefusal(other);
    const id = await insertSeat(client, joining);
    await client.query('COMMIT');
    return id;
  } catch (error) {
    // The connection may be what failed: then nothing is left to roll back.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
};

/** The first live process with another key for one of these providers. One that died has lost its lock. */
const otherKeyAtWork = async (client: pg.Client, keys: KeyFingerprints): Promise<OtherKey | undefined> => {
  const { rows } = await client.query<OtherKey>(
    `SELECT w.host, w.pid, w.roles, mine.key AS "providerId"
     FROM process w, jsonb_each_text($1::jsonb) AS mine
     WHERE w.key_fingerprints ->> mine.key <> mine.value AND ${ALIVE} AND EXISTS (
       SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $2::integer::oid AND l.objid = w.id::oid
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
     ORDER BY w.id, mine.key LIMIT 1`,
    [JSON.stringify(keys), PROCESS_LOCK_CLASS],
  );
  return rows[0];
};

/** The lock comes before the row is visible, so that no sweep ever sees a living process without its lock. */
const insertSeat = async (
  client: pg.Client,
  { roles, lanes, configHash, limits, keys }: Joining,
): Promise<number> => {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO process (host, pid, started_at_ms, roles, config_hash, limits, key_fingerprints)
     VALUES ($1, $2, now_ms(), $3, $4, $5, $6) RETURNING id`,
    [hostname(), process.pid, roles, configHash, JSON.stringify(limits), JSON.stringify(keys)],
  );
  const id = rows[0]?.id ?? 0;
  await client.query('SELECT pg_advisory_lock($1, $2)', [PROCESS_LOCK_CLASS, id]);
  await client.query(
    `INSERT INTO worker_lane (worker_id, lane_id, slots, lane, provider)
     SELECT $1, t.lane ->> 'id', (t.lane ->> 'concurrency')::integer, t.lane, t.provider
     FROM jsonb_to_recordset($2::jsonb) AS t (lane jsonb, provider jsonb)`,
    [id, JSON.stringify(lanes.map(({ lane, provider }) => ({ lane, provider: { ...provider, lanes: [] } })))],
  );
  await client.query("SELECT wake_dispatchers('*')");
  return id;
};

/** Of a process `w`: silent for longer than this, it is not counted on. */
export const ALIVE = "w.heartbeat_at > clock_timestamp() - interval '15 s'";

const processes = async (pool: pg.Pool): Promise<readonly LiveProcess[]> => {
  const { rows } = await pool.query<LiveProcess>(
    `SELECT w.id, w.host, w.pid, w.started_at_ms AS "startedAtMs", w.roles, w.config_hash AS "configHash", w.limits,
       ARRAY(SELECT lane_id FROM worker_lane WHERE worker_id = w.id ORDER BY lane_id) AS "laneIds"
     FROM process w WHERE ${ALIVE} ORDER BY w.id`,
  );
  return rows;
};

const servedLanes = async (pool: pg.Pool): Promise<readonly ServedLane[]> => {
  const { rows } = await pool.query<ServedLane>(
    `SELECT DISTINCT ON (wl.lane_id) wl.lane, wl.provider
     FROM worker_lane wl JOIN process w ON w.id = wl.worker_id WHERE ${ALIVE} ORDER BY wl.lane_id, w.id DESC`,
  );
  return rows;
};

const wantedLaneIds = async (pool: pg.Pool): Promise<ReadonlySet<string>> => {
  const { rows } = await pool.query<{ lane_id: string }>(
    `SELECT DISTINCT unnest(p.lane_ids) AS lane_id FROM pool p JOIN batch b ON b.id = p.batch_id
     WHERE b.state = 'in_progress' AND NOT b.is_paused`,
  );
  return new Set(rows.map((row) => row.lane_id));
};
