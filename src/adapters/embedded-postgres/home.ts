/**
 * The places of the embedded PostgreSQL inside the user's data directory. The cluster (PostgreSQL's word for its
 * data) is normally `postgres`; where the server must run as another user that cannot reach it, a pointer file
 * says where it is instead.
 */

import { access, constants, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCode, explainPathError } from './explain.ts';
import { makeDirectory } from './make-directory.ts';
import type { Account } from './run-as.ts';

/** The user's data directory, by its real path. */
export interface Home {
  readonly directory: string;
  /** Its owner, who must be able to use every file in it, also those that root made. */
  readonly owner: Account;
  /** Where the cluster is, unless the pointer file names another place. */
  readonly clusterDirectory: string;
  /** Holds the path of a cluster that lies elsewhere. */
  readonly pointerFile: string;
  readonly lockFile: string;
  readonly logFile: string;
}

/** PostgreSQL's data, complete. */
export interface Cluster {
  /** Its real path. */
  readonly directory: string;
  /** The user whose files these are: the server must run as that user. */
  readonly owner: Account;
  readonly major: string;
}

/** Creates the data directory (closed to other users) where it is missing, and checks that it can be written. */
export const openHome = async (dataDirectory: string): Promise<Home> => {
  try {
    await makeDirectory(resolve(dataDirectory));
    await access(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw explainPathError(dataDirectory, 'a folder that can be written', cause);
  }
  const directory = await realpath(dataDirectory);
  const { uid, gid } = await stat(directory);
  return {
    directory,
    owner: { uid, gid },
    clusterDirectory: join(directory, 'postgres'),
    pointerFile: join(directory, 'postgres.location'),
    lockFile: join(directory, 'postgres.lock'),
    logFile: join(directory, 'postgres.log'),
  };
};

/** The cluster of this data directory, or `undefined` before the first start. Throws where it is there but unusable. */
export const findCluster = async (home: Home): Promise<Cluster | undefined> => {
  const here = await readCluster(home.clusterDirectory);
  if (here !== undefined) return here;
  const elsewhere = await readPointer(home.pointerFile);
  if (elsewhere === undefined) return undefined;
  const cluster = await readCluster(elsewhere);
  if (cluster !== undefined) return cluster;
  throw new Error(
    `Expected the database to be in \`${elsewhere}\`, as \`${home.pointerFile}\` says, but nothing is there. ` +
      'Put it back, or delete that file to start with an empty database.',
  );
};

/** The cluster in exactly that folder; `undefined` where the folder is missing or empty. */
export const readCluster = async (directory: string): Promise<Cluster | undefined> => {
  try {
    const major = (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim();
    const { uid, gid } = await stat(directory);
    return { directory: await realpath(directory), owner: { uid, gid }, major };
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' && (await isMissingOrEmpty(directory))) return undefined;
    throw explainPathError(directory, 'a PostgreSQL data directory (with a file PG_VERSION)', cause);
  }
};

/** Throws, with the way out, where the cluster was made by another major version of PostgreSQL. */
export const requireMajor = (cluster: Cluster, major: string): void => {
  if (cluster.major === major) return;
  throw new Error(
    `Expected \`${cluster.directory}\` to hold data of PostgreSQL ${major}, got ${cluster.major}. ` +
      `Use the Nightshift release that brought PostgreSQL ${cluster.major} to finish the batches there, ` +
      'or start afresh with another folder (--data).',
  );
};

const isMissingOrEmpty = async (directory: string): Promise<boolean> => {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
};

const readPointer = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};
