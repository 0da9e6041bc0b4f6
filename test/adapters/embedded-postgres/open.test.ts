import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresConnection,
  openEmbeddedPostgres,
} from '../../../src/adapters/embedded-postgres/open.ts';
import { listSocketDirectories, openElsewhere, readServerPid } from './client-process.ts';

const query = async (connection: EmbeddedPostgresConnection, sql: string): Promise<string | undefined> => {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const { rows } = await client.query<{ value?: unknown }>(sql);
    return rows[0] === undefined ? undefined : String(rows[0].value);
  } finally {
    await client.end();
  }
};

const startTimeSql = 'select pg_postmaster_start_time() as value';

let root: string;
let dataDirectory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
  dataDirectory = join(root, 'data');
});

afterEach(async () => {
  await stopWhatIsLeft(join(dataDirectory, 'postgres'));
  await rm(root, { recursive: true, force: true });
});

/** A failed test may leave a server; it must not stay for the ones that follow. */
const stopWhatIsLeft = async (clusterDirectory: string): Promise<void> => {
  if ((await readServerPid(clusterDirectory)) === undefined) return;
  await (await openEmbeddedPostgres({ dataDirectory })).close();
};

const open = async (options: { readonly onLost?: (error: Error) => void } = {}): Promise<EmbeddedPostgres> =>
  await openEmbeddedPostgres({ dataDirectory, ...options });

const serverPid = (): Promise<number | undefined> => readServerPid(join(dataDirectory, 'postgres'));

const killServer = async (): Promise<void> => {
  const pid = await serverPid();
  if (pid === undefined) throw new Error('Expected a server to kill, got none.');
  process.kill(pid, 'SIGKILL');
};

describe('an embedded PostgreSQL', () => {
  test('makes its database on the first start, durable, in UTF-8 and with the same order of strings everywhere', async () => {
    await using server = await open();
    const sql = `select concat_ws(' ', current_database(), getdatabaseencoding(), datlocprovider, datlocale,
      current_setting('synchronous_commit'), current_setting('fsync')) as value
      from pg_database where datname = current_database()`;
    expect(await query(server.connection, sql)).toBe('nightshift UTF8 b C.UTF-8 on on');
    expect(server.connection.host.length).toBeLessThan(90);
  });

  test('keeps everything it makes closed to other users', async () => {
    await using server = await open();
    for (const path of [
      dataDirectory,
      join(dataDirectory, 'postgres'),
      server.connection.host,
      server.logFile,
    ]) {
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
  });

  test('is shared by all who open the same directory, and stopped by the last one to leave', async () => {
    const first = await open();
    const second = await open();
    expect(await query(second.connection, startTimeSql)).toBe(await query(first.connection, startTimeSql));
    await first.close();
    expect(await query(second.connection, 'select 1 as value')).toBe('1');
    await second.close();
    expect(await serverPid()).toBeUndefined();
    expect(await listSocketDirectories()).not.toContain(second.connection.host);
    await expect(query(second.connection, 'select 1')).rejects.toThrow('ENOENT');
  });

  test('keeps its data from one start to the next', async () => {
    const before = await open();
    await query(before.connection, 'create table kept as select 7 as value');
    await before.close();
    await using after = await open();
    expect(await query(after.connection, 'select value from kept')).toBe('7');
  });

  test('closes once, however often it is asked to', async () => {
    const server = await open();
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(await serverPid()).toBeUndefined();
  });

  test('comes up once when several processes open a new directory at the same moment', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => openElsewhere({ dataDirectory })));
    const startTimes = await Promise.all(clients.map(({ connection }) => query(connection, startTimeSql)));
    expect(new Set(startTimes).size).toBe(1);
    await Promise.all(clients.map((client) => client.close()));
    expect(await serverPid()).toBeUndefined();
    expect(clients.map((client) => client.output()).join('')).toBe('');
  });

  test('is there for a starter that arrives while the last one leaves', async () => {
    for (let round = 0; round < 5; round += 1) {
      const leaver = await open();
      const [arriver] = await Promise.all([open(), leaver.close()]);
      expect(await query(arriver.connection, 'select 1 as value')).toBe('1');
      await arriver.close();
    }
    expect(await serverPid()).toBeUndefined();
  });

  test('survives the SIGKILL of its only client and is adopted by the next', async () => {
    const client = await openElsewhere({ dataDirectory });
    const startTime = await query(client.connection, startTimeSql);
    await client.kill();
    const next = await open();
    expect(await query(next.connection, startTimeSql)).toBe(startTime);
    await next.close();
    expect(await serverPid()).toBeUndefined();
  });

  test('survives the Ctrl-C that reaches the whole group of the process that started it', async () => {
    const client = await openElsewhere({ dataDirectory });
    const pid = await serverPid();
    const groups = await Promise.all([process.pid, pid].map((each) => readProcessGroup(each ?? 0)));
    expect(groups[1]).toBe(pid);
    expect(groups[1]).not.toBe(groups[0]);
    await client.close();
  });

  test('is started again, with its data, after the SIGKILL of the server, which its clients are told of', async () => {
    const lost = Promise.withResolvers<Error>();
    const before = await open({ onLost: lost.resolve });
    await query(before.connection, 'create table kept as select 7 as value');
    await killServer();
    expect((await lost.promise).message).toMatch(/terminat|ended/);
    const after = await open();
    expect(await query(after.connection, 'select value from kept')).toBe('7');
    expect(await listSocketDirectories()).not.toContain(before.connection.host);
    await before.close();
    expect(await query(after.connection, 'select 1 as value').catch(() => 'stopped')).toBe('1');
    await after.close();
    expect(await serverPid()).toBeUndefined();
  });

  test('waits for what a killed server left running, rather than write beside it', async () => {
    const before = await open();
    const client = new pg.Client(before.connection);
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = rows[0]?.pid ?? 0;
    process.kill(backend, 'SIGSTOP');
    await killServer();
    const opening = open();
    await waitForLog(before.logFile, 'pre-existing shared memory block');
    process.kill(backend, 'SIGCONT');
    const after = await opening;
    expect(await query(after.connection, 'select 1 as value')).toBe('1');
    await before.close();
    await after.close();
    expect(await listSocketDirectories()).not.toContain(after.connection.host);
  });

  test('does not take an unrelated process for its server when a stale postmaster.pid names it', async () => {
    await (await open()).close();
    const unrelated = spawn('sleep', ['60']);
    onTestFinished(() => {
      unrelated.kill();
    });
    const file = join(dataDirectory, 'postgres', 'postmaster.pid');
    await writeFile(
      file,
      [unrelated.pid, join(dataDirectory, 'postgres'), '1', '5432', '/tmp/gone', '', ''].join('\n'),
    );
    const server = await open();
    expect(await query(server.connection, 'select 1 as value')).toBe('1');
    expect(unrelated.exitCode).toBeNull();
    await server.close();
    expect(unrelated.exitCode).toBeNull();
  });

  test('does not talk to a server of another directory that a stale postmaster.pid leads to', async () => {
    await (await open()).close();
    await using other = await openEmbeddedPostgres({ dataDirectory: join(root, 'other') });
    const otherFile = await readFile(join(root, 'other', 'postgres', 'postmaster.pid'), 'utf8');
    await writeFile(join(dataDirectory, 'postgres', 'postmaster.pid'), otherFile);
    await using server = await open();
    expect(server.connection.host).not.toBe(other.connection.host);
    expect(await query(other.connection, 'select 1 as value')).toBe('1');
  });

  test('begins anew after a SIGKILL in the middle of making the database', async () => {
    await mkdir(join(dataDirectory, 'postgres.unfinished', 'base'), { recursive: true });
    await using server = await open();
    expect(await query(server.connection, 'select 1 as value')).toBe('1');
    expect(await readdir(dataDirectory)).not.toContain('postgres.unfinished');
  });

  test.each([
    ['deep', Array.from({ length: 8 }, (_, level) => `a-rather-long-folder-name-${level}`).join('/')],
    ['with spaces, quotes and other scripts', `nacht "schicht", l'été/夜勤 🌙`],
  ])('works in a path that is %s', async (_, path) => {
    dataDirectory = join(root, path);
    await using server = await open();
    expect(await query(server.connection, `select current_setting('data_directory') as value`)).toBe(
      join(dataDirectory, 'postgres'),
    );
  });

  test('empties its log at a start once it is over 10 MB', async () => {
    await mkdir(dataDirectory);
    await writeFile(join(dataDirectory, 'postgres.log'), Buffer.alloc(10 * 1024 * 1024 + 1, 'x'));
    await using server = await open();
    expect((await stat(server.logFile)).size).toBeLessThan(100_000);
  });
});

describe('an embedded PostgreSQL that cannot be opened', () => {
  test('names the server to end where the folder of its socket was deleted', async () => {
    const server = await open();
    await rename(server.connection.host, `${server.connection.host}-moved`);
    await expect(open()).rejects.toThrow(`kill -INT ${await serverPid()}`);
    await rename(`${server.connection.host}-moved`, server.connection.host);
    await server.close();
  });

  test('says so where the path is a file', async () => {
    await writeFile(dataDirectory, '');
    await expect(open()).rejects.toThrow(/there is a file of that name. Choose another folder with --data/);
  });

  test('says so where no folder can be made', async () => {
    const options = { dataDirectory: '/proc/nightshift/data' };
    await expect(openEmbeddedPostgres(options)).rejects.toThrow('the file system cannot make a folder there');
  });

  test('says so where the data is of another major version, and leaves it as it is', async () => {
    await mkdir(join(dataDirectory, 'postgres'), { recursive: true });
    await writeFile(join(dataDirectory, 'postgres', 'PG_VERSION'), '12\n');
    await expect(open()).rejects.toThrow(/to hold data of PostgreSQL 18, got 12/);
    expect(await readdir(join(dataDirectory, 'postgres'))).toEqual(['PG_VERSION']);
    await rm(join(dataDirectory, 'postgres'), { recursive: true });
  });

  test('does not touch a folder named postgres that holds something else', async () => {
    await mkdir(join(dataDirectory, 'postgres'), { recursive: true });
    await writeFile(join(dataDirectory, 'postgres', 'thesis.txt'), 'years of work');
    await expect(open()).rejects.toThrow(/to be a PostgreSQL data directory/);
    expect(await readFile(join(dataDirectory, 'postgres', 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  test('quotes what PostgreSQL says where the data is damaged', async () => {
    await (await open()).close();
    await rm(join(dataDirectory, 'postgres', 'global', 'pg_control'));
    await expect(open()).rejects.toThrow(/could not find the database system[\s\S]*The whole log is in/);
  });
});

const waitForLog = async (file: string, text: string): Promise<void> => {
  await vi.waitUntil(async () => (await readFile(file, 'utf8')).includes(text), { timeout: 10_000 });
};

const readProcessGroup = async (pid: number): Promise<number> => {
  const afterName = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1);
  return Number(afterName?.split(' ')[2]);
};
