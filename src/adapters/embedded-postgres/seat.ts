/**
 * A client's seat at the server: an advisory lock, shared among clients, on a connection of its own. It ends with
 * the client, however that dies, so whoever can take the lock alone is the last one there.
 */

import pg from 'pg';
import { errorCode } from './explain.ts';
import type { ServerAddress } from './probe.ts';
import { databaseName, databaseRole } from './settings.ts';

/** Advisory locks share one space of numbers per database: "nights" in ASCII, taken by nothing else. */
export const seatLockKey = 0x6e_69_67_68_74_73;

/** A place at the server. */
export interface Seat {
  /**
   * Gives the seat up. Tells whether nobody else has one; then nobody can take one until `lastOneOut`, which
   * is run before the connection ends, has returned. Does nothing where the connection is lost.
   */
  leave(lastOneOut: () => Promise<void>): Promise<'left' | 'lost'>;
}

/**
 * Creates Nightshift's database where it is missing, and takes a seat in it. `onLost` is called once if the
 * connection ends before `leave`: the server is gone, or may now stop under this client.
 */
export const takeSeat = async (address: ServerAddress, onLost: (error: Error) => void): Promise<Seat> => {
  const client = await connectOrCreate(address);
  let state: 'seated' | 'leaving' | 'lost' = 'seated';
  const lose = (error: Error): void => {
    if (state !== 'seated') return;
    state = 'lost';
    onLost(error);
  };
  client.on('error', lose);
  client.on('end', () =>
    lose(new Error('Expected the embedded PostgreSQL to keep its connection, but it ended.')),
  );
  await client.query('select pg_advisory_lock_shared($1)', [seatLockKey]);
  return {
    leave: async (lastOneOut) => {
      if (state === 'lost') return 'lost';
      state = 'leaving';
      await leaveWith(client, lastOneOut);
      return 'left';
    },
  };
};

const leaveWith = async (client: pg.Client, lastOneOut: () => Promise<void>): Promise<void> => {
  try {
    await client.query('select pg_advisory_unlock_shared($1)', [seatLockKey]);
    const { rows } = await client.query('select pg_try_advisory_lock($1) as alone', [seatLockKey]);
    if (rows[0]?.alone === true) await lastOneOut();
  } finally {
    await client.end();
  }
};

const unknownDatabase = '3D000';

const connectOrCreate = async (address: ServerAddress): Promise<pg.Client> => {
  try {
    return await connect(address, databaseName);
  } catch (error) {
    if (errorCode(error) !== unknownDatabase) throw error;
    await createDatabase(address);
    return await connect(address, databaseName);
  }
};

const createDatabase = async (address: ServerAddress): Promise<void> => {
  const client = await connect(address, 'postgres');
  try {
    await client.query(`create database ${databaseName} owner ${databaseRole}`);
  } finally {
    await client.end();
  }
};

const connect = async (address: ServerAddress, database: string): Promise<pg.Client> => {
  const client = new pg.Client({ ...address, database, application_name: 'nightshift seat' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};
