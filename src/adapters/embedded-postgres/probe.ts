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

/** Looks once, without waiting for a change. */
export const probeServer = async (cluster: Cluster): Promise<Probe> => {
  const file = await readPostmasterFile(cluster.directory);
  if (file === undefined) return { kind: 'absent', leftover: undefined };
  const address: ServerAddress = {
    host: file.socketDirectory,
    port: file.port,
    user: databaseRole,
    ssl: false,
  };
  try {
    await proveOurs(cluster, address);
    return { kind: 'ready', address };
  } catch (error) {
    const isRunning = await isPostmasterOf(file.pid, cluster.directory);
    return isRunning ? { kind: 'busy', reason: errorMessage(error) } : { kind: 'absent', leftover: file };
  }
};

/** Those who may own the socket's folder: the cluster's owner, and this process, which may be root. */
export const trustedUids = (cluster: Cluster): readonly number[] => [cluster.uid, process.geteuid?.() ?? -1];

const proveOurs = async (cluster: Cluster, address: ServerAddress): Promise<void> => {
  if (address.host === '') throw new Error('the server has not opened its socket yet');
  if (!(await isPrivateDirectory(address.host, trustedUids(cluster)))) {
    throw new Error(`the socket's folder ${address.host} is missing, or open to other users`);
  }
  const directory = await askDataDirectory(address);
  if (directory !== cluster.directory) throw new Error(`the server there keeps its data in ${directory}`);
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
