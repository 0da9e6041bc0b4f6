/**
 * `postmaster.pid`, the file a running server keeps in its cluster: who it is and where its socket lies.
 * The pid in it proves nothing: after a crash or a reboot it may belong to any process.
 */

import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './explain.ts';

/** What the file says; a server that has only just begun leaves `socketDirectory` empty. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
}

const pathIn = (clusterDirectory: string): string => join(clusterDirectory, 'postmaster.pid');

/** Reads the file; `undefined` where there is none. Lines as in PostgreSQL's `src/include/utils/pidfile.h`. */
export const readPostmasterFile = async (clusterDirectory: string): Promise<PostmasterFile | undefined> => {
  try {
    const [pid, , , port, socketDirectory] = (await readFile(pathIn(clusterDirectory), 'utf8')).split('\n');
    return { pid: Number(pid), port: Number(port), socketDirectory: socketDirectory ?? '' };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** Removes the file of a server that is proven gone; PostgreSQL would refuse to start if its pid is alive again. */
export const removePostmasterFile = (clusterDirectory: string): Promise<void> =>
  rm(pathIn(clusterDirectory), { force: true });

/**
 * Whether the process `pid` is a PostgreSQL server on that cluster, by its command line (which everyone may read,
 * even where a container hides the rest of another user's process). A zombie has none and counts as gone.
 */
export const isPostmasterOf = async (pid: number, clusterDirectory: string): Promise<boolean> => {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  const commandLine = await readCommandLine(pid);
  // Elsewhere `ps` may have rewritten what is not ASCII in the path, so the name must do: wait rather than steal.
  return process.platform === 'linux'
    ? commandLine.includes(`postgres\0-D\0${clusterDirectory}\0`)
    : /\bpostgres -D /.test(commandLine);
};

const readCommandLine = async (pid: number): Promise<string> => {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
};
