import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './explain.ts';

/**
 * Makes a folder, by its absolute path, and those above it, all closed to other users; one that exists is left as
 * it is. Not by `recursive: true`, which on Node 24 runs for ever below /proc and calls a read-only file system
 * ENOENT (measured).
 */
export const makeDirectory = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(directory)).isDirectory()) return;
    if (errorCode(error) !== 'ENOENT') throw error;
    const parent = dirname(directory);
    if (await isDirectory(parent)) throw error;
    await makeDirectory(parent);
    await makeDirectory(directory);
  }
};

const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};
