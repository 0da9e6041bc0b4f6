/**
 * Brings the server of a cluster up, or adopts the one that runs, and stops it. The caller holds the start lock,
 * so nobody else does either at the same time.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { explainServerOutput } from './explain.ts';
import type { Cluster } from './home.ts';
import { type Launch, launchServer } from './launch.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { isPostmasterOf, readPostmasterFile, removePostmasterFile } from './postmaster-file.ts';
import { type Probe, type ServerAddress, probeServer, trustedUids } from './probe.ts';
import { createSocketDirectory, removeSocketDirectory } from './socket-directory.ts';

/** A server that neither answers nor says why has this long. */
const startPatienceMs = 20_000;
/** One that says it is starting, recovering or stopping has this long: a gigabyte of WAL may have to be replayed. */
const recoveryPatienceMs = 300_000;
const stopPatienceMs = 60_000;
const firstNoticeMs = 2_000;
const firstPauseMs = 10;
const longestPauseMs = 250;

/** What it takes to bring a server up. */
export interface ServerStart {
  readonly cluster: Cluster;
  readonly logFile: string;
  /** Asked for only when no server runs. */
  readonly plan: () => Promise<LaunchPlan>;
  readonly onWait: (message: string) => void;
}

/** The server's address, and whether this call started it. */
export interface RunningServer {
  readonly address: ServerAddress;
  readonly isNew: boolean;
}

/**
 * Returns when the server answers. Throws with the end of the log where it cannot start, and after 20 s without
 * an answer (300 s where the server says that it is recovering from a crash or stopping).
 */
export const bringUpServer = async (start: ServerStart): Promise<RunningServer> => {
  const startedAtMs = performance.now();
  let launch: Launch | undefined;
  let pauseMs = firstPauseMs;
  let noticed = false;
  for (;;) {
    const found = await probeServer(start.cluster);
    if (found.kind === 'ready') return { address: found.address, isNew: launch !== undefined };
    const waitedMs = performance.now() - startedAtMs;
    if (waitedMs > (found.kind === 'busy' ? recoveryPatienceMs : startPatienceMs)) {
      throw await notAnswering(start, found, launch);
    }
    if (!noticed && waitedMs > firstNoticeMs) {
      noticed = true;
      start.onWait(`Waiting for the embedded PostgreSQL: ${reasonOf(found)}.`);
    }
    if (found.kind === 'absent' && (launch === undefined || (await mayTryAgain(launch, start)))) {
      launch = await launchAnew(start, found);
    }
    await sleep(pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
  }
};

const reasonOf = (found: Probe): string => (found.kind === 'busy' ? found.reason : 'it does not answer yet');

/** Processes of a server that was killed may hold its shared memory for some seconds: that passes. */
const passingFaults = /pre-existing shared memory block|lock file .* already exists/;

const mayTryAgain = async (launch: Launch, { cluster, logFile }: ServerStart): Promise<boolean> => {
  if (!launch.hasEnded()) return false;
  await removeSocketDirectory(launch.socketDirectory, trustedUids(cluster));
  const output = await launch.output();
  if (passingFaults.test(output)) return true;
  throw explainServerOutput('the start of the embedded PostgreSQL', output, logFile);
};

const launchAnew = async (start: ServerStart, found: Probe): Promise<Launch> => {
  await clearLeftover(start.cluster, found);
  const plan = await start.plan();
  const owner = plan.runAs.kind === 'account' ? plan.runAs.account : undefined;
  const socketDirectory = await createSocketDirectory(owner);
  return await launchServer(plan, socketDirectory, start.logFile);
};

/** PostgreSQL still checks for living processes of the old server, by the cluster's shared memory. */
const clearLeftover = async (cluster: Cluster, found: Probe): Promise<void> => {
  if (found.kind !== 'absent' || found.leftover === undefined) return;
  await removeSocketDirectory(found.leftover.socketDirectory, trustedUids(cluster));
  await removePostmasterFile(cluster.directory);
};

const notAnswering = async (start: ServerStart, found: Probe, launch: Launch | undefined): Promise<Error> =>
  explainServerOutput(
    `the embedded PostgreSQL in \`${start.cluster.directory}\` to answer (${reasonOf(found)}), and that`,
    (await launch?.output()) ?? '',
    start.logFile,
  );

/**
 * Stops the server in order (a "fast" shutdown: clients are disconnected, everything is written) and returns when
 * it is gone; at once where none runs. Throws if it takes over 60 s; the server goes on stopping.
 */
export const stopServer = async (cluster: Cluster): Promise<void> => {
  const file = await readPostmasterFile(cluster.directory);
  if (file === undefined) return;
  const isRunning = (): Promise<boolean> => isPostmasterOf(file.pid, cluster.directory);
  if (await isRunning()) process.kill(file.pid, 'SIGINT');
  const startedAtMs = performance.now();
  while ((await readPostmasterFile(cluster.directory))?.pid === file.pid && (await isRunning())) {
    if (performance.now() - startedAtMs > stopPatienceMs) {
      throw new Error(
        `Expected the embedded PostgreSQL (pid ${file.pid}) to stop within ${stopPatienceMs / 1_000} s.`,
      );
    }
    await sleep(firstPauseMs);
  }
  await removeSocketDirectory(file.socketDirectory, trustedUids(cluster));
};
