/**
 * A PostgreSQL as users have one: reached by TCP with a role and a password, and that role is no superuser. The programs
 * are those of the embedded home; so is the way in which root runs them.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { locateBinaries } from '../../src/adapters/embedded-postgres/binaries.ts';
import { openHome } from '../../src/adapters/embedded-postgres/home.ts';
import { initialiseCluster } from '../../src/adapters/embedded-postgres/initialise.ts';
import { type LaunchPlan, planLaunch } from '../../src/adapters/embedded-postgres/launch-plan.ts';
import { commandAs } from '../../src/adapters/embedded-postgres/run-as.ts';
import { databaseRole as superuser } from '../../src/adapters/embedded-postgres/settings.ts';
import type { PostgresAddress } from '../../src/adapters/postgres/connect.ts';
import { findFreePort } from './free-port.ts';
import { type ServerProcess, serverProcess } from './server-process.ts';

/** A PostgreSQL on a port of 127.0.0.1. */
export interface PostgresServer extends ServerProcess {
  /** Makes an empty database and returns how its owner reaches it. The server must run. */
  createDatabase(name: string): Promise<DatabaseAddress>;
}

/** A database of the test's own, in both ways of saying where it is. */
export interface DatabaseAddress {
  readonly url: string;
  readonly address: PostgresAddress;
}

const OWNER = 'night_owner';
/** A URL must escape most of it. */
const PASSWORD = 'p@ss/w:rd?#%';

/** Makes a cluster below `directory` and starts its server. */
export const openPostgresServer = async (directory: string): Promise<PostgresServer> => {
  const home = await openHome(directory);
  const plan = await planLaunch({
    home,
    cluster: undefined,
    binaries: await locateBinaries(),
    refugeDirectory: join(directory, 'refuge'),
    onWait: () => undefined,
  });
  await initialiseCluster(plan);
  await setPasswords(plan);
  const port = await findFreePort();
  const administrator = { host: '127.0.0.1', port, user: superuser, password: PASSWORD };
  const server = serverProcess({
    name: 'PostgreSQL',
    command: commandAs(plan.runAs, plan.binaries.postgres, serverArguments(plan.clusterDirectory, port)),
    logFile: home.logFile,
    // A "fast" shutdown: clients are disconnected, everything is written.
    stopSignal: 'SIGINT',
    probe: () => administer(administrator, 'SELECT 1'),
  });
  await server.start();
  return {
    ...server,
    async createDatabase(name) {
      await administer(administrator, `CREATE DATABASE ${name} OWNER ${OWNER}`);
      const address = { ...administrator, user: OWNER, database: name };
      return {
        address,
        url: `postgres://${OWNER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`,
      };
    },
  };
};

/** `initdb` trusts everybody. From here on every client needs a password, and no socket but TCP is open. */
const setPasswords = async (plan: LaunchPlan): Promise<void> => {
  await inSingleUserMode(plan, [
    `ALTER ROLE ${superuser} PASSWORD '${PASSWORD}'`,
    `CREATE ROLE ${OWNER} LOGIN PASSWORD '${PASSWORD}'`,
  ]);
  await writeFile(join(plan.clusterDirectory, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n');
};

/** Runs statements on a cluster that no server runs on; each must fit a line. */
const inSingleUserMode = async (plan: LaunchPlan, statements: readonly string[]): Promise<void> => {
  const { file, args, options } = commandAs(plan.runAs, plan.binaries.postgres, [
    '--single',
    '-D',
    plan.clusterDirectory,
    'postgres',
  ]);
  await new Promise<void>((resolve, reject) => {
    const child = execFile(file, args, options, (error, _stdout, stderr) => {
      if (error === null && !stderr.includes('ERROR:')) resolve();
      else reject(new Error(`Expected a new cluster to take its roles, got:\n${stderr}`, { cause: error }));
    });
    child.stdin?.end(statements.map((statement) => `${statement}\n`).join(''));
  });
};

const serverArguments = (clusterDirectory: string, port: number): readonly string[] =>
  [
    ['-D', clusterDirectory],
    ['-c', 'listen_addresses=127.0.0.1'],
    ['-c', `port=${port}`],
    ['-c', 'unix_socket_directories='],
    ['-c', 'max_connections=300'],
    // The tests kill the server, never the machine.
    ['-c', 'fsync=off'],
    ['-c', 'huge_pages=off'],
    ['-c', 'shared_buffers=64MB'],
  ].flat();

const administer = async (
  administrator: Omit<PostgresAddress, 'database'>,
  statement: string,
): Promise<void> => {
  const client = new pg.Client({ ...administrator, database: 'postgres' });
  // A server that goes away says so to an idle connection, too; the query then rejects.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
};
