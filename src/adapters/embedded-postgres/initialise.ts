/**
 * Makes a new cluster: beside its final place, and renamed into it when complete, so that a process killed in the
 * middle leaves nothing that looks like one. The caller holds the start lock.
 */

import { execFile } from 'node:child_process';
import { chown, mkdir, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorCode, errorMessage, explainPathError, explainServerOutput } from './explain.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { commandAs } from './run-as.ts';
import { initdbArguments } from './settings.ts';

/** Runs initdb (about half a second). Throws with its own words where it fails. */
export const initialiseCluster = async (plan: LaunchPlan): Promise<void> => {
  const unfinished = `${plan.clusterDirectory}.unfinished`;
  await makeEmptyDirectory(unfinished, plan);
  try {
    await runInitdb(unfinished, plan);
    await rename(unfinished, plan.clusterDirectory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
};

const makeEmptyDirectory = async (directory: string, { runAs }: LaunchPlan): Promise<void> => {
  try {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { mode: 0o700 });
    if (runAs.kind === 'account') await chown(directory, runAs.account.uid, runAs.account.gid);
  } catch (cause) {
    throw explainPathError(directory, 'a folder for a new database', cause);
  }
};

const runInitdb = async (directory: string, { runAs, binaries }: LaunchPlan): Promise<void> => {
  const { file, args, options } = commandAs(runAs, binaries.initdb, initdbArguments(directory));
  try {
    await promisify(execFile)(file, args, options);
  } catch (cause) {
    throw initdbFault(cause, binaries.initdb);
  }
};

/** A C library that the programs were not built for (Alpine's musl) shows as ENOENT on a file that is there. */
const initdbFault = (cause: unknown, program: string): Error => {
  if (errorCode(cause) === 'ENOENT') {
    return new Error(
      `Expected to be able to run ${program}, but this system cannot; on Linux it needs glibc. ` +
        'Set DATABASE_URL to a PostgreSQL server instead.',
      { cause },
    );
  }
  const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : errorMessage(cause);
  return explainServerOutput('initdb', output);
};
