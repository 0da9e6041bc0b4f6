/** The outside servers of the production home, for tests: a PostgreSQL and a Redis that a test may restart and kill. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatabaseAddress, openPostgresServer } from './postgres-server.ts';
import { openRedisServer } from './redis-server.ts';

/** A PostgreSQL and a Redis of the test's own. Disposing kills both and removes their files. */
export interface Servers extends AsyncDisposable {
  /** An empty database and an empty logical database of Redis, as nobody else has them. Both servers must run. */
  openNight(): Promise<NightAddress>;
  /** @throws while it does not run. */
  postgresPid(): number;
  /** @throws while it does not run. */
  redisPid(): number;
  /** Resolves when PostgreSQL serves; at once where it runs. */
  startPostgres(): Promise<void>;
  /** Disconnects every client, stops in order, and starts again: down for about a tenth of a second. */
  restartPostgres(): Promise<void>;
  /** `kill -9` of the postmaster. It stays down until it is started. */
  killPostgres(): Promise<void>;
  /** Resolves when Redis serves; at once where it runs. */
  startRedis(): Promise<void>;
  /** Stops in order and starts again; keeps what was written. */
  restartRedis(): Promise<void>;
  /** `kill -9`. It stays down until it is started. */
  killRedis(): Promise<void>;
  /** FLUSHALL: the queues of every night are gone. */
  flushRedis(): Promise<void>;
  /** Keys of all nights since the last FLUSHALL. */
  countRedisKeys(): Promise<number>;
}

/** What a Nightshift on the production home is told. */
export interface NightAddress {
  readonly database: DatabaseAddress;
  readonly redisUrl: string;
}

/** Starts both servers (about two seconds). @throws where `redis-server` is not installed. */
export const openServers = async (): Promise<Servers> => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-servers-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const postgres = stack.use(await openPostgresServer(join(directory, 'postgres')));
  const redis = stack.use(await openRedisServer(join(directory, 'redis')));
  let nights = 0;
  const opened = stack.move();
  return {
    async openNight() {
      nights += 1;
      return { database: await postgres.createDatabase(`night_${nights}`), redisUrl: redis.url(nights) };
    },
    postgresPid: () => postgres.pid(),
    redisPid: () => redis.pid(),
    startPostgres: () => postgres.start(),
    async restartPostgres() {
      await postgres.stop();
      await postgres.start();
    },
    killPostgres: () => postgres.kill(),
    startRedis: () => redis.start(),
    async restartRedis() {
      await redis.stop();
      await redis.start();
    },
    killRedis: () => redis.kill(),
    flushRedis: () => redis.flush(),
    countRedisKeys: () => redis.countKeys(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};
