/**
 * One process at a time starts or stops the server of a data directory. The lock is the kernel's (fcntl, through
 * the SQLite that Node brings), so it ends with its holder, however that dies; a lock file with a pid in it would
 * have to guess. Nothing is ever written to the file.
 */

import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { explainPathError } from './explain.ts';

const retryMs = 20;
const firstNoticeMs = 2_000;
/** Longer than the longest start (a crash recovery) and stop together: see server.ts. */
const patienceMs = 400_000;
const sqliteBusy = 5;

/** Runs `work` while no other process, and no other caller in this one, runs any under the same lock file. */
export const withStartLock = async <T>(
  lockFile: string,
  onWait: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> => {
  using database = openLockFile(lockFile);
  await acquire(database, lockFile, onWait);
  return await work();
};

const openLockFile = (lockFile: string): DatabaseSync => {
  try {
    const database = new DatabaseSync(lockFile, { timeout: 0 });
    chmodSync(lockFile, 0o600);
    return database;
  } catch (cause) {
    throw explainPathError(lockFile, 'a lock file that can be written', cause);
  }
};

const acquire = async (
  database: DatabaseSync,
  lockFile: string,
  onWait: (message: string) => void,
): Promise<void> => {
  const startedAtMs = performance.now();
  let noticed = false;
  while (!tryAcquire(database, lockFile)) {
    const waitedMs = performance.now() - startedAtMs;
    if (waitedMs > patienceMs) throw new Error(stuckMessage(lockFile));
    if (!noticed && waitedMs > firstNoticeMs) {
      noticed = true;
      onWait('Another process is starting or stopping the embedded PostgreSQL; waiting for it.');
    }
    await sleep(retryMs);
  }
};

const tryAcquire = (database: DatabaseSync, lockFile: string): boolean => {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy) return false;
    throw explainPathError(lockFile, 'a file that can be locked', cause);
  }
};

const stuckMessage = (lockFile: string): string =>
  `Expected another process to release \`${lockFile}\` within ${patienceMs / 1_000} s. ` +
  'A suspended Nightshift process may hold it (`fuser` names it): continue or end that one, then run this again.';
