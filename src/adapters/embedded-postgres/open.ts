/**
 * The embedded PostgreSQL: a real server on the data directory, started by whoever comes first, shared by every
 * process that opens the same directory, and stopped by the last one to leave.
 */

import { locateBinaries } from './binaries.ts';
import { type Cluster, type Home, findCluster, openHome, readCluster, requireMajor } from './home.ts';
import { initialiseCluster } from './initialise.ts';
import { type LaunchPlan, planLaunch } from './launch-plan.ts';
import { type ServerAddress, probeServer } from './probe.ts';
import { type Seat, takeSeat } from './seat.ts';
import { bringUpServer, clearLeftover, stopServer } from './server.ts';
import { databaseName } from './settings.ts';
import { withStartLock } from './start-lock.ts';

/** How to open a data directory. */
export interface EmbeddedPostgresOptions {
  /** Created, closed to other users, where it is missing; any length, any characters. */
  readonly dataDirectory: string;
  /** Told, in a sentence, when something takes longer than usual or the data goes to an unusual place. */
  readonly onWait?: (message: string) => void;
  /** Called once if the server goes away while open; every other connection to it is then broken, too. */
  readonly onLost?: (error: Error) => void;
  /**
   * Where root keeps the database (with a pointer in the data directory) on systems that refuse user namespaces,
   * if the data directory is closed to other users. Default `/var/lib/nightshift`.
   */
  readonly refugeDirectory?: string;
}

/** How to reach the database, in the words of `pg` (which takes the socket's folder as `host`). */
export interface EmbeddedPostgresConnection extends ServerAddress {
  readonly database: string;
}

/** An open data directory. The server runs at least until it is closed. */
export interface EmbeddedPostgres extends AsyncDisposable {
  readonly connection: EmbeddedPostgresConnection;
  /** The server's log. */
  readonly logFile: string;
  /** Leaves; the last to leave stops the server and waits until it is gone. Again: the same promise. */
  close(): Promise<void>;
}

const defaultRefugeDirectory = '/var/lib/nightshift';

/**
 * Opens the database of a data directory: makes it (about a second) where it is missing, starts its server where
 * none runs, and adopts the server that a live or killed process left.
 *
 * Throws an error that ends with the way out where the directory cannot be used, the disk is full, the data is of
 * another PostgreSQL, or the server does not come up (the end of its log is then part of the message).
 */
export const openEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const { onWait = ignore } = options;
  const home = await openHome(options.dataDirectory);
  const { cluster, address, seat } = await withStartLock(home, onWait, () => enter(home, options));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= withStartLock(home, onWait, () => leave(cluster, seat)));
  return {
    connection: { ...address, database: databaseName },
    logFile: home.logFile,
    close,
    [Symbol.asyncDispose]: close,
  };
};

const ignore = (): void => undefined;

interface Entry {
  readonly cluster: Cluster;
  readonly address: ServerAddress;
  readonly seat: Seat;
}

const enter = async (home: Home, options: EmbeddedPostgresOptions): Promise<Entry> => {
  const { onWait = ignore, onLost = ignore } = options;
  const binaries = await locateBinaries();
  const plan = async (cluster: Cluster | undefined): Promise<LaunchPlan> =>
    await planLaunch({
      home,
      cluster,
      binaries,
      refugeDirectory: options.refugeDirectory ?? defaultRefugeDirectory,
      onWait,
    });
  const cluster = (await findCluster(home)) ?? (await createCluster(await plan(undefined)));
  requireMajor(cluster, binaries.major);
  const server = await bringUpServer({ cluster, home, plan: () => plan(cluster), onWait });
  try {
    return { cluster, address: server.address, seat: await takeSeat(server.address, onLost) };
  } catch (error) {
    if (server.isNew) await stopServer(cluster);
    throw error;
  }
};

const createCluster = async (plan: LaunchPlan): Promise<Cluster> => {
  await initialiseCluster(plan);
  const cluster = await readCluster(plan.clusterDirectory);
  if (cluster !== undefined) return cluster;
  throw new Error(
    `Expected initdb to make a database in \`${plan.clusterDirectory}\`, but the folder is empty.`,
  );
};

/** A client whose seat was lost looks again: the server may have been restarted, with or without others at it. */
const leave = async (cluster: Cluster, seat: Seat): Promise<void> => {
  const stop = (): Promise<void> => stopServer(cluster);
  if ((await seat.leave(stop)) === 'left') return;
  const found = await probeServer(cluster);
  if (found.kind === 'ready') await (await takeSeat(found.address, ignore)).leave(stop);
  if (found.kind === 'absent') await clearLeftover(cluster, found.leftover);
};
