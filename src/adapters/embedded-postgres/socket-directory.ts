/**
 * The folder of the server's Unix socket. A socket's path may have 104 bytes on macOS and 108 on Linux, while data
 * directories can be deep, so it lies in the temporary directory, under a name nobody can guess or take first, open
 * to its owner only. Clients learn it from postmaster.pid, not from the name.
 */

import { chown, lstat, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { explainPathError } from './explain.ts';
import { socketPort } from './settings.ts';

const namePrefix = 'nightshift-';
const longestSocketPath = 103;

/** Creates an empty folder with mode 0700, owned by this user or by `owner` (for which this user must be root). */
export const createSocketDirectory = async (owner?: {
  readonly uid: number;
  readonly gid: number;
}): Promise<string> => {
  const template = join(shortTemporaryDirectory(), namePrefix);
  try {
    const directory = await mkdtemp(template);
    if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
    return directory;
  } catch (cause) {
    throw explainPathError(template, 'the start of a new folder in a temporary directory (TMPDIR)', cause);
  }
};

const shortTemporaryDirectory = (): string => {
  const socket = join(tmpdir(), `${namePrefix}XXXXXX`, `.s.PGSQL.${socketPort}`);
  return Buffer.byteLength(socket) <= longestSocketPath ? tmpdir() : '/tmp';
};

/**
 * Whether only one of `uids` can have put a socket there: after a reboot, anyone may have made a folder of the
 * name that an old postmaster.pid remembers.
 */
export const isPrivateDirectory = async (directory: string, uids: readonly number[]): Promise<boolean> => {
  try {
    const found = await lstat(directory);
    return found.isDirectory() && (found.mode & 0o077) === 0 && uids.includes(found.uid);
  } catch {
    return false;
  }
};

/**
 * Removes the socket folder that a server of `clusterDirectory` left. A folder with the socket of another server
 * stays: a copied data directory remembers the folder of the original, whose server may be alive.
 */
export const removeSocketDirectory = async (
  directory: string,
  clusterDirectory: string,
  uids: readonly number[],
): Promise<void> => {
  if (!basename(directory).startsWith(namePrefix) || !(await isPrivateDirectory(directory, uids))) return;
  if (await isEmptyOrOf(directory, clusterDirectory)) await rm(directory, { recursive: true, force: true });
};

/** Beside its socket, a server keeps a lock file of its own, with its cluster in the second line. */
const isEmptyOrOf = async (directory: string, clusterDirectory: string): Promise<boolean> => {
  try {
    const lock = await readFile(join(directory, `.s.PGSQL.${socketPort}.lock`), 'utf8');
    return lock.split('\n')[1] === clusterDirectory;
  } catch {
    return (await readdir(directory)).length === 0;
  }
};
