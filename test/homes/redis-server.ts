/** A Redis as Nightshift asks for one: every write in its append-only file, nothing evicted, a password. */
import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { commandAs } from '../../src/adapters/embedded-postgres/run-as.ts';
import { findFreePort } from './free-port.ts';
import { type ServerProcess, serverProcess } from './server-process.ts';

/** A Redis on a port of 127.0.0.1. */
export interface RedisServer extends ServerProcess {
  /** The URL of a logical database; there are 1,000. */
  url(database: number): string;
  /** FLUSHALL: everything in every logical database is gone. The server must run. */
  flush(): Promise<void>;
  /** The keys of every logical database together. The server must run. */
  countKeys(): Promise<number>;
}

/** A URL must escape most of it. */
const PASSWORD = 'r@dis/w:rd?#%';
const LOGICAL_DATABASES = 1_000;

/** The path of `redis-server` by PATH; `undefined` where it is not installed. */
export const findRedisServer = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => isExecutable(path));

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Starts a Redis that keeps its data in `directory`. @throws where `redis-server` is not installed. */
export const openRedisServer = async (directory: string): Promise<RedisServer> => {
  const program = findRedisServer();
  if (program === undefined) {
    throw new Error('Expected `redis-server` in PATH, got none. Install Redis 7.');
  }
  await mkdir(directory, { recursive: true });
  const port = await findFreePort();
  const server = serverProcess({
    name: 'Redis',
    command: commandAs({ kind: 'self' }, program, serverArguments(directory, port)),
    logFile: join(directory, 'redis.log'),
    stopSignal: 'SIGTERM',
    probe: () => administer(port, async (redis) => void (await redis.ping())),
  });
  await server.start();
  return {
    ...server,
    url: (database) => `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`,
    flush: () => administer(port, async (redis) => void (await redis.flushall())),
    countKeys: () => administer(port, async (redis) => sumOfKeys(await redis.info('keyspace'))),
  };
};

const serverArguments = (directory: string, port: number): readonly string[] =>
  [
    ['--bind', '127.0.0.1'],
    ['--port', String(port)],
    ['--requirepass', PASSWORD],
    ['--dir', directory],
    ['--databases', String(LOGICAL_DATABASES)],
    ['--appendonly', 'yes'],
    ['--save', ''],
    ['--maxmemory-policy', 'noeviction'],
  ].flat();

/** Redis says `db1:keys=12,expires=0,...`, a line per logical database that holds any. */
const sumOfKeys = (keyspace: string): number =>
  [...keyspace.matchAll(/^db\d+:keys=(\d+)/gmu)].reduce((sum, [, keys]) => sum + Number(keys), 0);

const administer = async <T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    password: PASSWORD,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // `connect` and the command reject, too.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
};
