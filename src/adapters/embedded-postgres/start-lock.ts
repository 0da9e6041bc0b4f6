/**
 * One process at a time starts or stops the server of a data directory. The lock is the kernel's (fcntl, through
 * the SQLite that Node brings), so it ends with its holder, however that dies; a lock file with a pid in it would
 * have to guess. Nothing is ever written to the file, and the journal that a transaction would make beside it is
 * kept in memory.
 */

import { chmodSync, chownSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { explainPathError } from './explain.ts';
import type { Home } from './home.ts';
import { createPatience } from './patience.ts';
import { isRoot } from './run-as.ts';

/** Longer than the longest start (a crash recovery) and stop together: see server.ts. */
const patienceMs = 400_000;
const sqliteBusy = 5;

/** Runs `work` while no other process, and no other caller in this one, runs any for the same data directory. */
export const withStartLock = async <T>(
  home: Home,
  onWait: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> => {
  using database = openLockFile(home);
  await acquire(database, home.lockFile, onWait);
  return await work();
};

const openLockFile = ({ lockFile, owner }: Home): DatabaseSync => {
  try {
    const database = new DatabaseSync(lockFile, { timeout: 0 });
    if (isRoot()) chownSync(lockFile, owner.uid, owner.gid);
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
  const keepWaiting = createPatience(() =>
    onWait('Another process is starting or stopping the embedded PostgreSQL; waiting for it.'),
  );
  while (!tryAcquire(database, lockFile)) {
    if (!(await keepWaiting(patienceMs))) throw new Error(stuckMessage(lockFile));
  }
};

const tryAcquire = (database: DatabaseSync, lockFile: string): boolean => {
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy) return false;
    throw explainPathError(lockFile, 'a file that can be locked', cause);
  }
};

const stuckMessage = (lockFile: string): string =>
  `Expected another process to release \`${lockFile}\` within ${patienceMs / 1_000} s. ` +
  'A suspended Nightshift process may hold it (`fuser` names it): continue or end that one, then run this again.';
