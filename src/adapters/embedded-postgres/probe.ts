/**
 * Finds out whether a cluster's server runs. The proof that a server is ours is its own answer, over a socket that
 * nobody else can have made, to where its data lies; a pid alone proves nothing.
 */

import pg from 'pg';
import { errorMessage } from './explain.ts';
import type { Cluster } from './home.ts';
import { type PostmasterFile, isPostmasterOf, readPostmasterFile } from './postmaster-file.ts';
import { databaseRole } from './settings.ts';
import { isPrivateDirectory } from './socket-directory.ts';

/** How to reach a server, in the words of `pg`; `ssl` is said because `pg` would read PGSSLMODE otherwise. */
export interface ServerAddress {
  /** The folder of the Unix socket. */
  readonly host: string;
  /** The number in the socket's name. */
  readonly port: number;
  readonly user: string;
  readonly ssl: false;
}

/** What was found of a cluster's server. */
export type Probe =
  | { readonly kind: 'ready'; readonly address: ServerAddress }
  /** A server of this cluster is starting, recovering or stopping. */
  | { readonly kind: 'busy'; readonly reason: string }
  /** No server; `leftover` is what one that died left behind. */
  | { readonly kind: 'absent'; readonly leftover: PostmasterFile | undefined };

const connectTimeoutMs = 5_000;

/** Looks once, without waiting for a change. Throws where a server runs that can no longer be reached. */
export const probeServer = async (cluster: Cluster): Promise<Probe> => {
  const file = await readPostmasterFile(cluster.directory);
  if (file === undefined) return { kind: 'absent', leftover: undefined };
  const address: ServerAddress = {
    host: file.socketDirectory,
    port: file.port,
    user: databaseRole,
    ssl: false,
  };
  const hasSocket = await isPrivateDirectory(address.host, trustedUids(cluster));
  const doubt = hasSocket ? await askWhetherOurs(cluster, address) : 'it has not opened its socket yet';
  if (doubt === undefined) return { kind: 'ready', address };
  if (!(await isPostmasterOf(file.pid, cluster.directory))) return { kind: 'absent', leftover: file };
  if (address.host !== '' && !hasSocket) throw unreachable(file);
  return { kind: 'busy', reason: doubt };
};

/** Those who may own the socket's folder: the cluster's owner, and this process, which may be root. */
export const trustedUids = (cluster: Cluster): readonly number[] => [
  cluster.owner.uid,
  process.geteuid?.() ?? -1,
];

const unreachable = ({ pid, socketDirectory }: PostmasterFile): Error =>
  new Error(
    `Expected the socket of the running PostgreSQL (pid ${pid}) in \`${socketDirectory}\`, but that folder is ` +
      `missing or open to other users. End that server with \`kill -INT ${pid}\`, then run this again.`,
  );

/** Returns what speaks against it, or `undefined` if the server there is the cluster's. */
const askWhetherOurs = async (cluster: Cluster, address: ServerAddress): Promise<string | undefined> => {
  try {
    const directory = await askDataDirectory(address);
    return directory === cluster.directory ? undefined : `the server there keeps its data in ${directory}`;
  } catch (error) {
    return errorMessage(error);
  }
};

const askDataDirectory = async (address: ServerAddress): Promise<string> => {
  const client = new pg.Client({
    ...address,
    database: 'postgres',
    connectionTimeoutMillis: connectTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(`select current_setting('data_directory') as directory`);
    return String(rows[0]?.directory);
  } finally {
    await client.end();
  }
};
