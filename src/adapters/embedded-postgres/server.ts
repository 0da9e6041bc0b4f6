/**
 * Brings the server of a cluster up, or adopts the one that runs, and stops it. The caller holds the start lock,
 * so nobody else does either at the same time.
 */

import { explainServerOutput } from './explain.ts';
import type { Cluster, Home } from './home.ts';
import { type Launch, launchServer } from './launch.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { createPatience } from './patience.ts';
import {
  type PostmasterFile,
  isPostmasterOf,
  readPostmasterFile,
  removePostmasterFile,
} from './postmaster-file.ts';
import { type Probe, type ServerAddress, probeServer, trustedUids } from './probe.ts';
import { createSocketDirectory, removeSocketDirectory } from './socket-directory.ts';

/** A server that was launched and shows no sign of life has this long. */
const startPatienceMs = 20_000;
/** One that says it is starting, recovering or stopping has this long: a gigabyte of WAL may have to be replayed. */
const recoveryPatienceMs = 300_000;
const stopPatienceMs = 60_000;

/** What it takes to bring a server up. */
export interface ServerStart {
  readonly home: Home;
  readonly cluster: Cluster;
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
 * an answer (300 s while the server says that it is recovering from a crash, or stopping).
 */
export const bringUpServer = async (start: ServerStart): Promise<RunningServer> => {
  const keepWaiting = createPatience(() =>
    start.onWait('The embedded PostgreSQL needs longer than usual; waiting for it.'),
  );
  let launch: Launch | undefined;
  for (;;) {
    const found = await probeServer(start.cluster);
    if (found.kind === 'ready') return { address: found.address, isNew: launch !== undefined };
    if (found.kind === 'absent') launch = await ensureLaunched(start, found.leftover, launch);
    const isPatient = await keepWaiting(found.kind === 'busy' ? recoveryPatienceMs : startPatienceMs);
    if (!isPatient) throw await notAnswering(start, found, launch);
  }
};

/** Launches the server, unless a launch is still on its way or ended by a fault that does not pass (then it throws). */
const ensureLaunched = async (
  start: ServerStart,
  leftover: PostmasterFile | undefined,
  launch: Launch | undefined,
): Promise<Launch> => {
  if (launch !== undefined) {
    if (!launch.hasEnded()) return launch;
    await removeSocketDirectory(launch.socketDirectory, start.cluster.directory, trustedUids(start.cluster));
    await requirePassingFault(start, launch);
  }
  await clearLeftover(start.cluster, leftover);
  const plan = await start.plan();
  const socketDirectory = await createSocketDirectory(
    plan.runAs.kind === 'account' ? plan.runAs.account : undefined,
  );
  return await launchServer(plan, socketDirectory, start.home);
};

/** Processes of a server that was killed may hold its shared memory for some seconds. */
const passingFaults = /pre-existing shared memory block|lock file .* already exists/;

const requirePassingFault = async ({ home }: ServerStart, launch: Launch): Promise<void> => {
  const output = await launch.output();
  if (passingFaults.test(output)) return;
  throw explainServerOutput('the start of the embedded PostgreSQL', output, home.logFile);
};

const notAnswering = async (
  { home }: ServerStart,
  found: Probe,
  launch: Launch | undefined,
): Promise<Error> => {
  const lastWord = found.kind === 'busy' ? found.reason : await launch?.output();
  return explainServerOutput(
    'the embedded PostgreSQL to come up in time, and its start',
    lastWord ?? '',
    home.logFile,
  );
};

/**
 * Removes what a server that is proven gone left behind. PostgreSQL itself still looks for living processes of the
 * old server, by the cluster's shared memory, before it starts.
 */
export const clearLeftover = async (
  cluster: Cluster,
  leftover: PostmasterFile | undefined,
): Promise<void> => {
  if (leftover === undefined) return;
  await removeSocketDirectory(leftover.socketDirectory, cluster.directory, trustedUids(cluster));
  await removePostmasterFile(cluster.directory);
};

/**
 * Stops the server in order (a "fast" shutdown: clients are disconnected, everything is written) and returns when
 * it is gone; at once where none runs. Throws if it takes over 60 s; the server goes on stopping.
 */
export const stopServer = async (cluster: Cluster): Promise<void> => {
  const file = await readPostmasterFile(cluster.directory);
  if (file === undefined) return;
  const keepWaiting = createPatience(() => undefined);
  if (await isPostmasterOf(file.pid, cluster.directory)) process.kill(file.pid, 'SIGINT');
  while (await isStillThere(cluster, file.pid)) {
    if (await keepWaiting(stopPatienceMs)) continue;
    throw new Error(
      `Expected the embedded PostgreSQL (pid ${file.pid}) to stop within ${stopPatienceMs / 1_000} s.`,
    );
  }
  await removeSocketDirectory(file.socketDirectory, cluster.directory, trustedUids(cluster));
};

/** Removing its postmaster.pid is the last thing a server does; a killed one leaves the file, but no process. */
const isStillThere = async (cluster: Cluster, pid: number): Promise<boolean> => {
  const file = await readPostmasterFile(cluster.directory);
  return file?.pid === pid && (await isPostmasterOf(pid, cluster.directory));
};
