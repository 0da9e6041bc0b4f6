/**
 * Starts the server process, in a session of its own: neither Ctrl-C in the terminal nor the end of the process
 * that started it reaches it. Its output goes to the log file and nowhere else.
 */

import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage, explainPathError } from './explain.ts';
import type { Home } from './home.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { commandAs, isRoot } from './run-as.ts';
import { serverArguments } from './settings.ts';

/** The log is emptied at a start once it is larger than this. */
const largestLogBytes = 10 * 1024 * 1024;

/** One start of the server. */
export interface Launch {
  readonly socketDirectory: string;
  /** Whether the process has ended, as it does when it cannot start. */
  hasEnded(): boolean;
  /** What it has written to the log so far, up to 64 kB. */
  output(): Promise<string>;
}

/** Starts `postgres`; whether it comes up is for the caller to see. */
export const launchServer = async (
  plan: LaunchPlan,
  socketDirectory: string,
  home: Home,
): Promise<Launch> => {
  await using log = await openLog(home);
  const { size: startOffset } = await log.stat();
  const args = serverArguments(plan.clusterDirectory, socketDirectory);
  const command = commandAs(plan.runAs, plan.binaries.postgres, args);
  const child = spawn(command.file, command.args, {
    ...command.options,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  child.unref();
  return {
    socketDirectory,
    hasEnded: () => failure !== undefined || child.exitCode !== null || child.signalCode !== null,
    output: async () =>
      failure === undefined ? await readFrom(home.logFile, startOffset) : errorMessage(failure),
  };
};

const openLog = async ({ logFile, owner }: Home): Promise<FileHandle> => {
  try {
    const log = await open(logFile, 'a', 0o600);
    if (isRoot()) await log.chown(owner.uid, owner.gid);
    if ((await log.stat()).size > largestLogBytes) await log.truncate(0);
    return log;
  } catch (cause) {
    throw explainPathError(logFile, 'a log file that can be written', cause);
  }
};

const readFrom = async (file: string, offset: number): Promise<string> => {
  await using handle = await open(file, 'r');
  const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(65_536), position: offset });
  return buffer.toString('utf8', 0, bytesRead);
};
