/** Clients in processes of their own, and a look at what they leave behind. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  EmbeddedPostgresConnection,
  EmbeddedPostgresOptions,
} from '../../../src/adapters/embedded-postgres/open.ts';

/** What opener.ts says. */
type Message =
  | { readonly kind: 'opened'; readonly connection: EmbeddedPostgresConnection }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'waiting'; readonly sentence: string };

/** A client that holds a data directory open in another process. */
export interface ClientProcess {
  readonly connection: EmbeddedPostgresConnection;
  readonly sentences: readonly string[];
  /** What it wrote to standard output and error. */
  output(): string;
  close(): Promise<void>;
  kill(): Promise<void>;
}

/** How the process differs from this one. */
export interface ClientProcessSettings {
  readonly uid?: number;
  readonly gid?: number;
  readonly path?: string;
}

const openPatienceMs = 60_000;

/** Starts a process and returns when it has the directory open; rejects with its reason where it cannot. */
export const openElsewhere = async (
  options: Pick<EmbeddedPostgresOptions, 'dataDirectory' | 'refugeDirectory'>,
  { path, ...settings }: ClientProcessSettings = {},
): Promise<ClientProcess> => {
  const child = fork(join(import.meta.dirname, 'opener.ts'), [JSON.stringify(options)], {
    ...settings,
    silent: true,
    execArgv: [],
    env: { ...process.env, ...(path === undefined ? {} : { PATH: path }) },
  });
  const output = collect(child);
  const sentences: string[] = [];
  const connection = await answer(child, sentences);
  const ended = once(child, 'exit');
  return {
    connection,
    sentences,
    output,
    close: async () => {
      child.send('close');
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

const collect = (child: ChildProcess): (() => string) => {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return () => text;
};

const answer = async (child: ChildProcess, sentences: string[]): Promise<EmbeddedPostgresConnection> => {
  const signal = AbortSignal.timeout(openPatienceMs);
  for (;;) {
    const [message]: Message[] = await once(child, 'message', { signal });
    if (message === undefined) continue;
    if (message.kind === 'opened') return message.connection;
    if (message.kind === 'failed') throw new Error(message.reason);
    sentences.push(message.sentence);
  }
};

/** The pid in the postmaster.pid of a cluster, or `undefined` where no server has left one. */
export const readServerPid = async (clusterDirectory: string): Promise<number | undefined> => {
  try {
    return Number((await readFile(join(clusterDirectory, 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
  } catch {
    return undefined;
  }
};

/** The socket folders in the temporary directory. */
export const listSocketDirectories = async (): Promise<readonly string[]> =>
  (await readdir(tmpdir()))
    .filter((name) => name.startsWith('nightshift-'))
    .map((name) => join(tmpdir(), name));
