/**
 * As whom PostgreSQL's programs run. They refuse uid 0, so root needs one of two ways out: a user namespace in
 * which root's own uid looks like 65534 (nothing else changes: binaries and data may lie under folders only root
 * can enter, measured), or another account of the machine.
 */

import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** A user of this machine by number. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The way a program is started. */
export type RunAs =
  | { readonly kind: 'self' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'account'; readonly account: Account };

/** What `child_process.spawn` needs to start a program that way. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly uid?: number;
    readonly gid?: number;
  };
}

/** Whether this process is root, whom PostgreSQL refuses. */
export const isRoot = (): boolean => process.geteuid?.() === 0;

/** The command that runs `file`. None of our environment (with its API keys) reaches it, but for PATH. */
export const commandAs = (runAs: RunAs, file: string, args: readonly string[]): Command => {
  const options = { cwd: '/', env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
  if (runAs.kind === 'self') return { file, args, options };
  if (runAs.kind === 'account') return { file, args, options: { ...options, ...runAs.account } };
  return { file: 'unshare', args: ['-U', '--map-user=65534', '--map-group=65534', file, ...args], options };
};

/** Whether the program starts that way at all, found by asking it for its version (about 10 ms). */
export const canRun = async (runAs: RunAs, program: string): Promise<boolean> => {
  const { file, args, options } = commandAs(runAs, program, ['--version']);
  try {
    await promisify(execFile)(file, args, options);
    return true;
  } catch {
    return false;
  }
};

/** Accounts made to own a database or nothing at all, best first; `_postgres` is macOS's name. */
const suitableAccounts = ['postgres', '_postgres', 'nobody'];

/** The account that runs the server where root cannot; it must be in /etc/passwd, or initdb refuses. */
export const findAccount = async (): Promise<Account> => {
  const entries = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of suitableAccounts) {
    const [, , uid, gid] = entries.find((entry) => entry[0] === name) ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'Expected a user `postgres` or `nobody` in /etc/passwd to run the embedded PostgreSQL, got neither. ' +
      'Run Nightshift as an ordinary user, or set DATABASE_URL to a PostgreSQL server.',
  );
};

/** Whether the account may enter that folder and all above it, by their permission bits. */
export const canEnter = async (account: Account, directory: string): Promise<boolean> => {
  const { mode, uid, gid } = await stat(directory);
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(directory);
  return parent === directory || (await canEnter(account, parent));
};
