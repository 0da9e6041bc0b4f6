/** The servers of a benchmark: a PostgreSQL and a Redis of its own, durable as Nightshift asks for. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import pg from 'pg';
import { openEmbeddedPostgres } from '../../src/adapters/embedded-postgres/open.ts';
import { endOf, lineMatching, stopProcess } from './child-process.ts';
import { familyOf, parentOf, type Watched } from './process-watch.ts';

/** A running PostgreSQL. Disposing stops it, unless others are connected through the same data directory. */
export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  /** For looking at what a variant wrote. */
  readonly client: pg.Client;
  readonly watched: Watched;
}

/** Starts the embedded PostgreSQL of a data directory, which other processes may open meanwhile. */
export const startPostgres = async (dataDirectory: string): Promise<PostgresServer> => {
  await using stack = new AsyncDisposableStack();
  const { connection } = stack.use(await openEmbeddedPostgres({ dataDirectory }));
  const client = new pg.Client({ ...connection, application_name: 'bench' });
  await client.connect();
  stack.defer(() => client.end());
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postmaster = parentOf(rows[0]?.pid ?? 0);
  const { host, port, user, database } = connection;
  const opened = stack.move();
  return {
    url: `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`,
    client,
    watched: {
      name: 'PostgreSQL, all processes',
      pids: () => (postmaster === undefined ? [] : familyOf(postmaster)),
      memory: 'proportional',
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

/** A running Redis. Disposing stops it. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly watched: Watched;
  /** The most that its data and buffers ever took, in bytes. */
  usedMemoryPeakBytes(): Promise<number>;
}

/** Starts `redis-server` on a free port, with an append-only file in this directory and nothing evicted. */
export const startRedis = async (directory: string): Promise<RedisServer> => {
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([lineMatching(child.stdout, /(Ready to accept connections)/u), endOf(child)]);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    watched: {
      name: 'Redis',
      pids: () => (child.pid === undefined ? [] : [child.pid]),
      memory: 'resident',
    },
    usedMemoryPeakBytes: () => readUsedMemoryPeak(port),
    [Symbol.asyncDispose]: () => stopProcess(child),
  };
};

const freePort = async (): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => {
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('Expected a free port of the loopback, got none.'));
    });
  });
  return await promise;
};

const readUsedMemoryPeak = async (port: number): Promise<number> => {
  const redis = new Redis(port, '127.0.0.1');
  try {
    return Number(/^used_memory_peak:(\d+)/mu.exec(await redis.info('memory'))?.[1] ?? Number.NaN);
  } finally {
    redis.disconnect();
  }
};
