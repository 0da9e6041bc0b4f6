/**
 * Decides as whom the server runs, with which copy of the programs, and where a new cluster goes.
 * The owner of a cluster runs it, so `sudo` on a user's data directory leaves no files of root's in it.
 */

import { chmod, cp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { type Binaries, binariesAt } from './binaries.ts';
import { explainPathError } from './explain.ts';
import type { Cluster, Home } from './home.ts';
import { makeDirectory } from './make-directory.ts';
import { type Account, type RunAs, canEnter, canRun, findAccount, isRoot } from './run-as.ts';

/** Everything needed to start a server. */
export interface LaunchPlan {
  readonly runAs: RunAs;
  readonly binaries: Binaries;
  /** Where the cluster is, or is to be made. */
  readonly clusterDirectory: string;
}

/** What a plan is made from. */
export interface LaunchSituation {
  readonly home: Home;
  /** `undefined` before the first start. */
  readonly cluster: Cluster | undefined;
  readonly binaries: Binaries;
  /** Where root keeps what another account must reach, if the data directory is closed to it. */
  readonly refugeDirectory: string;
  readonly onWait: (message: string) => void;
}

/** Throws, with the way out, where neither way to run as root is open. */
export const planLaunch = async (situation: LaunchSituation): Promise<LaunchPlan> => {
  const { home, cluster, binaries } = situation;
  const clusterDirectory = cluster?.directory ?? home.clusterDirectory;
  if (!isRoot()) return { runAs: { kind: 'self' }, binaries, clusterDirectory };
  const owner = cluster?.owner ?? home.owner;
  if (owner.uid !== 0) return await planForOwner(situation, owner, clusterDirectory);
  if (await canRun({ kind: 'namespace' }, binaries.postgres)) {
    return { runAs: { kind: 'namespace' }, binaries, clusterDirectory };
  }
  if (cluster !== undefined) throw ownedByRoot(cluster);
  return await planForAccount(situation, await findAccount());
};

const planForOwner = async (
  situation: LaunchSituation,
  owner: Account,
  clusterDirectory: string,
): Promise<LaunchPlan> => {
  if (await canEnter(owner, dirname(clusterDirectory))) {
    return { ...(await programsFor(owner, situation)), clusterDirectory };
  }
  throw new Error(
    `Expected \`${clusterDirectory}\` to be reachable by its owner (uid ${owner.uid}), who runs the ` +
      'database in it, but a folder above is closed. Open it with `chmod o+x`, or choose another folder with --data.',
  );
};

const ownedByRoot = (cluster: Cluster): Error =>
  new Error(
    `Expected a user namespace (\`unshare -U\`) to run the database of root in \`${cluster.directory}\`, ` +
      'but this system refuses it, and PostgreSQL does not run as root. Allow user namespaces, ' +
      'run Nightshift as an ordinary user with another --data, or set DATABASE_URL to a PostgreSQL server.',
  );

/** A first start as another account: in the data directory if it can get there, else in the refuge. */
const planForAccount = async (situation: LaunchSituation, account: Account): Promise<LaunchPlan> => {
  const { home } = situation;
  const programs = await programsFor(account, situation);
  if (await canEnter(account, dirname(home.directory))) {
    await chmod(home.directory, 0o711);
    return { ...programs, clusterDirectory: home.clusterDirectory };
  }
  return { ...programs, clusterDirectory: await makeRefuge(situation) };
};

const makeRefuge = async ({ home, refugeDirectory, onWait }: LaunchSituation): Promise<string> => {
  const name = createHash('sha256').update(home.directory).digest('hex').slice(0, 16);
  const clusterDirectory = join(refugeDirectory, name, 'postgres');
  await makeEnterable(refugeDirectory);
  await makeEnterable(dirname(clusterDirectory));
  await writeFile(home.pointerFile, `${clusterDirectory}\n`, { mode: 0o600 });
  onWait(
    `PostgreSQL cannot run as root, and no other user may enter ${home.directory}: the database is kept in ${clusterDirectory}.`,
  );
  return clusterDirectory;
};

const programsFor = async (
  account: Account,
  { binaries, refugeDirectory }: LaunchSituation,
): Promise<Pick<LaunchPlan, 'runAs' | 'binaries'>> => {
  const runAs: RunAs = { kind: 'account', account };
  if (await canRun(runAs, binaries.postgres)) return { runAs, binaries };
  const copied = await copyBinaries(binaries, refugeDirectory);
  if (await canRun(runAs, copied.postgres)) return { runAs, binaries: copied };
  throw new Error(
    `Expected uid ${account.uid} to be able to run ${copied.postgres}, but it cannot. ` +
      'Run Nightshift as an ordinary user, or set DATABASE_URL to a PostgreSQL server.',
  );
};

/** node_modules often lies under a folder that only root may enter; about 70 MB, copied once per version. */
const copyBinaries = async (binaries: Binaries, refugeDirectory: string): Promise<Binaries> => {
  const copied = binariesAt(join(refugeDirectory, `binaries-${binaries.version}`), binaries.version);
  if (await canRun({ kind: 'self' }, copied.postgres)) return copied;
  await makeEnterable(refugeDirectory);
  const unfinished = `${copied.root}.${process.pid}`;
  try {
    await cp(binaries.root, unfinished, { recursive: true, verbatimSymlinks: true });
    await makeReadable(unfinished);
    await rm(copied.root, { recursive: true, force: true });
    await rename(unfinished, copied.root);
  } catch (cause) {
    throw explainPathError(copied.root, "a copy of PostgreSQL's programs", cause);
  }
  return copied;
};

/** Under a umask of 077, npm leaves files that only root can read; the copy holds nothing secret. */
const makeReadable = async (root: string): Promise<void> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of [root, ...paths]) await chmod(path, 0o755);
};

const makeEnterable = async (directory: string): Promise<void> => {
  try {
    await makeDirectory(directory);
    await chmod(directory, 0o711);
  } catch (cause) {
    throw explainPathError(directory, 'a folder that can be written', cause);
  }
};
