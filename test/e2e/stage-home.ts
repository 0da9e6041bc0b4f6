/** How a stage stands on its home: what its commands are told, and how a test reaches the record. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '../../src/adapters/embedded-postgres/open.ts';
import type { PostgresAddress } from '../../src/adapters/postgres/connect.ts';
import { type HomeName, openSharedServers } from '../homes/homes.ts';
import { copyMadeHome } from './made-home.ts';

/** A home, ready for commands. Disposing leaves no server of the stage's own behind. */
export interface StageHome extends AsyncDisposable {
  /** Every command gets these arguments beside its own. */
  readonly args: readonly string[];
  /** Every command gets these variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** The way to the record, which is served until it is disposed. */
  openRecord(): Promise<OpenRecord>;
}

/** A record that is served. */
export interface OpenRecord extends AsyncDisposable {
  readonly address: PostgresAddress;
}

/** What a home is opened with. */
export interface StageHomeOptions {
  readonly home: HomeName;
  readonly dataDirectory: string;
  /** Whether the embedded PostgreSQL is held open, so that commands need not start it. */
  readonly holdsServer: boolean;
}

/** Opens a home that no other stage has: a data directory, or databases on the file's servers. */
export const openStageHome = async (options: StageHomeOptions): Promise<StageHome> =>
  options.home === 'embedded' ? await openEmbeddedHome(options) : await openRedisHome(options);

const openEmbeddedHome = async ({ dataDirectory, holdsServer }: StageHomeOptions): Promise<StageHome> => {
  await using stack = new AsyncDisposableStack();
  if (holdsServer) await copyMadeHome(dataDirectory);
  // At the end a server that a killed command left behind stops, because its last client leaves.
  stack.defer(async () => await (await openEmbeddedPostgres({ dataDirectory })).close());
  if (holdsServer) stack.use(await openEmbeddedPostgres({ dataDirectory }));
  const opened = stack.move();
  return {
    args: ['--data', dataDirectory],
    environment: {},
    async openRecord() {
      const server = await openEmbeddedPostgres({ dataDirectory });
      return { address: server.connection, [Symbol.asyncDispose]: () => server.close() };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

/** The data directory goes by the environment: the flag would choose the embedded home. */
const openRedisHome = async ({ dataDirectory }: StageHomeOptions): Promise<StageHome> => {
  const servers = await openSharedServers();
  const { database, redisUrl } = await servers.openNight();
  const stays = { address: database.address, [Symbol.asyncDispose]: async () => {} };
  return {
    args: [],
    environment: { DATABASE_URL: database.url, REDIS_URL: redisUrl, NIGHTSHIFT_DATA: dataDirectory },
    openRecord: async () => stays,
    [Symbol.asyncDispose]: async () => {},
  };
};

/** The process of the embedded PostgreSQL of a data directory. */
export const embeddedPostmasterPid = async (dataDirectory: string): Promise<number> => {
  const text = await readFile(join(dataDirectory, 'postgres', 'postmaster.pid'), 'utf8');
  return Number.parseInt(text, 10);
};
