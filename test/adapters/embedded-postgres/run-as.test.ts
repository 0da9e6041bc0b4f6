import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { binariesAt, locateBinaries } from '../../../src/adapters/embedded-postgres/binaries.ts';
import { openHome } from '../../../src/adapters/embedded-postgres/home.ts';
import { planLaunch } from '../../../src/adapters/embedded-postgres/launch-plan.ts';
import { canEnter, canRun, findAccount, isRoot } from '../../../src/adapters/embedded-postgres/run-as.ts';
import { openElsewhere, readServerPid } from './client-process.ts';

let root: string;
let dataDirectory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
  dataDirectory = join(root, 'data');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

/** An ordinary user can only run a clone that it may enter; one under a folder of root's is root's alone. */
const userMayRunThis = isRoot() && (await canEnter(await findAccount(), import.meta.dirname));

const pathWithoutNamespaces = async (): Promise<string> => {
  const directory = join(root, 'bin');
  await mkdir(directory);
  await writeFile(join(directory, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return `${directory}:${process.env['PATH']}`;
};

const listOwners = async (): Promise<Set<number>> => {
  const names = await readdir(dataDirectory, { recursive: true });
  return new Set(await Promise.all(names.map(async (name) => (await stat(join(dataDirectory, name))).uid)));
};

describe.runIf(isRoot())('an embedded PostgreSQL opened by root', () => {
  test('runs under a folder that only root may enter, with files of root alone', async () => {
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    const client = await openElsewhere({ dataDirectory });
    expect(await stat(join(dataDirectory, 'postgres'))).toMatchObject({ uid: 0, gid: 0 });
    await client.close();
    expect(await readServerPid(join(dataDirectory, 'postgres'))).toBeUndefined();
  });

  test('runs as another account in the data directory where user namespaces are refused', async () => {
    await chmod(root, 0o755);
    const path = await pathWithoutNamespaces();
    const { uid } = await findAccount();
    const options = { dataDirectory, refugeDirectory: join(root, 'refuge') };
    const first = await openElsewhere(options, { path });
    expect(first.sentences).toEqual([]);
    expect(await stat(join(dataDirectory, 'postgres'))).toMatchObject({ uid });
    const second = await openElsewhere(options);
    expect(second.connection).toEqual(first.connection);
    await first.close();
    await second.close();
    expect(await readServerPid(join(dataDirectory, 'postgres'))).toBeUndefined();
  });

  test('keeps its data in a refuge, with a pointer, where the account cannot reach the data directory', async () => {
    const refugeDirectory = await mkdtemp('/var/tmp/embedded-postgres-');
    try {
      const path = await pathWithoutNamespaces();
      const options = { dataDirectory, refugeDirectory };
      const first = await openElsewhere(options, { path });
      expect(first.sentences.join()).toMatch(/no other user may enter .* the database is kept in/);
      const cluster = (await readFile(join(dataDirectory, 'postgres.location'), 'utf8')).trim();
      expect(dirname(dirname(cluster))).toBe(refugeDirectory);
      expect((await stat(cluster)).uid).toBe((await findAccount()).uid);
      await first.close();
      const again = await openElsewhere(options);
      expect(again.sentences).toEqual([]);
      await again.close();
      expect(await readServerPid(cluster)).toBeUndefined();
    } finally {
      await rm(refugeDirectory, { recursive: true, force: true });
    }
  });

  test('says what to do where the data of root meets a system that refuses user namespaces', async () => {
    await (await openElsewhere({ dataDirectory })).close();
    const path = await pathWithoutNamespaces();
    await expect(openElsewhere({ dataDirectory }, { path })).rejects.toThrow(/Expected a user namespace/);
  });

  test.runIf(userMayRunThis)(
    "makes a database in an ordinary user's directory that the user can open alone",
    async () => {
      const account = await findAccount();
      await chmod(root, 0o755);
      await mkdir(dataDirectory, { mode: 0o700 });
      await chown(dataDirectory, account.uid, account.gid);
      await (await openElsewhere({ dataDirectory })).close();
      expect(await listOwners()).toEqual(new Set([account.uid]));
      await (await openElsewhere({ dataDirectory }, account)).close();
    },
  );

  test('copies the programs to the refuge where the account cannot reach them', async () => {
    await chmod(root, 0o711);
    const { root: programs, version } = await locateBinaries();
    const closed = join(root, 'closed');
    await cp(programs, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
    await chmod(closed, 0o700);
    vi.stubEnv('PATH', await pathWithoutNamespaces());
    const plan = await planLaunch({
      home: await openHome(dataDirectory),
      cluster: undefined,
      binaries: binariesAt(join(closed, 'native'), version),
      refugeDirectory: join(root, 'refuge'),
      onWait: () => undefined,
    });
    expect(plan.binaries.root).toBe(join(root, 'refuge', `binaries-${version}`));
    expect(plan.runAs).toEqual({ kind: 'account', account: await findAccount() });
    expect(await canRun(plan.runAs, plan.binaries.initdb)).toBe(true);
  });

  test.runIf(userMayRunThis)(
    'shares the server of the ordinary user who owns the data, and leaves no files of root in it',
    async () => {
      const account = await findAccount();
      await chmod(root, 0o755);
      await mkdir(dataDirectory, { mode: 0o700 });
      await chown(dataDirectory, account.uid, account.gid);
      const owner = await openElsewhere({ dataDirectory }, account);
      const asRoot = await openElsewhere({ dataDirectory });
      expect(asRoot.connection).toEqual(owner.connection);
      await owner.close();
      await asRoot.close();
      expect(await listOwners()).toEqual(new Set([account.uid]));
      const alone = await openElsewhere({ dataDirectory });
      expect(await stat(join(dataDirectory, 'postgres', 'postmaster.pid'))).toMatchObject({
        uid: account.uid,
      });
      await alone.close();
    },
  );
});
