/** The homes of Nightshift that are measured: embedded, on servers, and on servers with a service that stays up. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { endOf, lineMatching, startScript, stopProcess } from './child-process.ts';
import type { Watched } from './process-watch.ts';
import { type RedisServer, startPostgres, startRedis } from './servers.ts';
import { writeConfig } from './short-lines.ts';
import type { Setting } from './variant.ts';

/** The command line's entry point. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Where record and queues are, and who works on them. */
export interface Home extends AsyncDisposable {
  /** What tells a command to use it, besides the configuration. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly watched: readonly Watched[];
  /** For looking at the record. */
  readonly client: pg.Client;
  /** `null` where the queues are in PostgreSQL. */
  readonly redis: RedisServer | null;
}

/** A home that can be opened. */
export interface HomeKind {
  readonly id: string;
  readonly title: string;
  open(setting: Setting): Promise<Home>;
}

/** Record and queues in the embedded PostgreSQL. */
export const embeddedHome: HomeKind = {
  id: 'embedded',
  title: 'Nightshift, embedded',
  async open({ directory }) {
    const dataDirectory = join(directory, 'data');
    const postgres = await startPostgres(dataDirectory);
    return {
      flags: ['--data', dataDirectory],
      environment: {},
      watched: [postgres.watched],
      client: postgres.client,
      redis: null,
      [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
    };
  },
};

/** The record on a PostgreSQL server, the queues on Redis. */
export const serversHome: HomeKind = {
  id: 'servers',
  title: 'Nightshift, Redis + PostgreSQL',
  async open({ directory }) {
    await using stack = new AsyncDisposableStack();
    const postgres = stack.use(await startPostgres(join(directory, 'postgres')));
    const redis = stack.use(await startRedis(join(directory, 'redis')));
    const opened = stack.move();
    return {
      flags: [],
      environment: {
        DATABASE_URL: postgres.url,
        REDIS_URL: redis.url,
        NIGHTSHIFT_DATA: join(directory, 'data'),
      },
      watched: [postgres.watched, redis.watched],
      client: postgres.client,
      redis,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
};

/** The same, with a `nightshift up` of all roles that works; `run` is its client. */
export const serviceHome: HomeKind = {
  id: 'service',
  title: 'Nightshift service, Redis + PostgreSQL',
  async open(setting) {
    await using stack = new AsyncDisposableStack();
    const home = stack.use(await serversHome.open(setting));
    const service = await startService(setting, home);
    stack.defer(() => stopProcess(service.child));
    const opened = stack.move();
    return {
      ...home,
      flags: ['--url', service.url],
      watched: [
        {
          name: 'nightshift up',
          pids: () => (service.child.pid === undefined ? [] : [service.child.pid]),
          memory: 'resident',
        },
        ...home.watched,
      ],
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
};

const startService = async ({ directory, provider, concurrency }: Setting, { environment }: Home) => {
  const config = configPath(directory);
  await writeConfig(config, provider.baseUrl, concurrency);
  const child = startScript({
    script: [MAIN, 'up', '--port', '0', '--config', config],
    environment,
    workingDirectory: directory,
    standardError: 'pipe',
  });
  const listening = lineMatching(child.stderr, /listening on (http\S+)/u, (line) => console.error(line));
  const ended = endOf(child).then(() => {
    throw new Error('Expected the service to stay up, but it ended.');
  });
  return { child, url: await Promise.race([listening, ended]) };
};

/** Where the configuration of a variant lies. */
export const configPath = (directory: string): string => join(directory, 'nightshift.yaml');
