/** Connections to the record: one pool per process, in the record's own schema. */
import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

/** Where the record is, in the words of `pg`. A host that starts with `/` is a directory with a Unix socket. */
export type PostgresAddress = Readonly<
  Pick<pg.ClientConfig, 'host' | 'port' | 'user' | 'database' | 'password' | 'ssl' | 'options'>
>;

/** The address that a connection URL (`postgresql://...`) stands for; what it says of TLS is kept. */
export const addressOf = (url: string): PostgresAddress => {
  const { host, port, user, database, password, ssl, options } = parseIntoClientConfig(url);
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(database === undefined ? {} : { database }),
    ...(password === undefined ? {} : { password }),
    ...(ssl === undefined ? {} : { ssl }),
    ...(options === undefined ? {} : { options }),
  };
};

/** The address with further options for the server's session; its own (some hosts need theirs) stay. */
export const withServerOptions = (address: PostgresAddress, options: string): PostgresAddress => ({
  ...address,
  options: address.options === undefined ? options : `${address.options} ${options}`,
});

/** The schema that holds the record; BullMQ's tables have one of their own beside it. */
export const RECORD_SCHEMA = 'nightshift';

const INT8_OID = 20;
const NUMERIC_OID = 1700;

/** 64-bit integers arrive as numbers: every id, instant and count here stays below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) =>
    oid === INT8_OID || oid === NUMERIC_OID ? Number : pg.types.getTypeParser(oid),
};

/** Client settings for a connection to the record. */
export const recordClientConfig = (address: PostgresAddress): pg.ClientConfig => ({
  ...withServerOptions(address, `-c search_path=${RECORD_SCHEMA} -c client_min_messages=warning`),
  keepAlive: true,
  types,
  application_name: 'nightshift',
});

/** A pool for the record; idle connections that break are replaced, `onIdleError` hears of them. */
export const connectRecord = (address: PostgresAddress, onIdleError: (error: Error) => void): pg.Pool => {
  const pool = new pg.Pool({ ...recordClientConfig(address), max: 8, idleTimeoutMillis: 0 });
  pool.on('error', onIdleError);
  return pool;
};

/** A connection that breaks between two queries says so in an event, too; the next query then rejects. */
const queryWillReject = (): void => {};

/** Runs `work` in one transaction on one connection; rolls back if it throws. */
export const inTransaction = async <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  client.on('error', queryWillReject);
  try {
    await client.query('BEGIN');
    const value = await work(client);
    await client.query('COMMIT');
    client.off('error', queryWillReject);
    client.release();
    return value;
  } catch (error) {
    const broken = await client.query('ROLLBACK').then(
      () => undefined,
      (reason: Error) => reason,
    );
    client.off('error', queryWillReject);
    client.release(broken);
    throw error;
  }
};
