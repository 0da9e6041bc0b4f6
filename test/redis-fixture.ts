/** A Redis of its own for a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'vitest';

const PROGRAM = '/usr/bin/redis-server';
const START_MS = 10_000;
const STOP_MS = 5_000;
/** Another process may take the port between its choice and its use. */
const STARTS = 3;

/** A running Redis that keeps nothing on disk. */
export interface TestRedis {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Kills the server, as if it had crashed; for tests that do without. */
  kill(): Promise<void>;
}

/**
 * Starts an empty Redis, which ends with the test. Without a redis-server the test is skipped, with a loud line; it
 * fails instead where `CI=true` or `NIGHTSHIFT_REQUIRE_REDIS=1`.
 */
export const openTestRedis = async (context: TestContext): Promise<TestRedis> => {
  if (!existsSync(PROGRAM)) return withoutRedis(context);
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-redis-'));
  context.onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { server, port } = await startRedis(directory);
  const endWithParent = () => server.kill('SIGKILL');
  process.once('exit', endWithParent);
  context.onTestFinished(async () => {
    await end(server, 'SIGTERM');
    process.off('exit', endWithParent);
  });
  return {
    host: '127.0.0.1',
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => end(server, 'SIGKILL'),
  };
};

const withoutRedis = (context: TestContext): never => {
  const { CI, NIGHTSHIFT_REQUIRE_REDIS } = process.env;
  const message = `Expected a redis-server at ${PROGRAM}, got none. Install redis-server to run this test.`;
  if (CI === 'true' || NIGHTSHIFT_REQUIRE_REDIS === '1') throw new Error(message);
  console.warn(`SKIPPED, no Redis: ${context.task.fullTestName}`);
  return context.skip(message);
};

const startRedis = async (
  directory: string,
): Promise<{ readonly server: ChildProcess; readonly port: number }> => {
  const failures: unknown[] = [];
  while (failures.length < STARTS) {
    const port = await freePort();
    const server = spawn(PROGRAM, argumentsFor(port, directory), { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await readiness(server);
      return { server, port };
    } catch (error) {
      failures.push(error);
      await end(server, 'SIGKILL');
    }
  }
  throw new AggregateError(failures, `Expected redis-server to start, got ${STARTS} failures.`);
};

// oxfmt-ignore
const argumentsFor = (port: number, directory: string): readonly string[] => [
  '--port', String(port),
  '--bind', '127.0.0.1',
  '--dir', directory,
  '--save', '',
  '--appendonly', 'no',
  '--maxmemory-policy', 'noeviction',
];

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('Expected a port of the system, got none.'));
      });
    });
  });

/** Resolves when the server takes connections; rejects if it ends before, or says nothing for too long. */
const readiness = (server: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`Expected redis-server to be ready within ${START_MS} ms.`));
    }, START_MS);
    server.once('error', reject);
    server.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`Expected redis-server to start, but it ended with code ${code}.`));
    });
    if (server.stdout === null) return;
    createInterface({ input: server.stdout }).on('line', (line) => {
      if (!line.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });

/** Resolves when the server is gone; one that does not heed the signal in time is killed. */
const end = (server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> =>
  new Promise((resolve) => {
    if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return resolve();
    const timer = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
    server.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    server.kill(signal);
  });
