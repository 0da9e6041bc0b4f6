/** Child processes of a benchmark: started with nothing of the user's environment, awaited, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What a child is given. */
export interface Command {
  /** A TypeScript or JavaScript file and its arguments, run by this Node. */
  readonly script: readonly string[];
  /** Added to PATH, HOME and TMPDIR; nothing else is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Also its home. */
  readonly workingDirectory: string;
  /** Default: what it prints on standard error is shown. */
  readonly standardError?: 'inherit' | 'pipe';
}

/** Starts it. What it prints on standard output is dropped. */
export const startScript = (command: Command): ChildProcess => {
  const { script, environment, workingDirectory, standardError = 'inherit' } = command;
  const { PATH = '', TMPDIR } = process.env;
  return spawn(process.execPath, script, {
    cwd: workingDirectory,
    env: { PATH, HOME: workingDirectory, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...environment },
    stdio: ['ignore', 'ignore', standardError],
  });
};

/**
 * Resolves when a child has ended with exit code 0.
 *
 * @throws Error if it could not start, or ended in another way.
 */
export const endOf = (child: ChildProcess): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('exit', (code, signal) => {
    const command = child.spawnargs.slice(1).join(' ');
    if (code === 0) resolve();
    else
      reject(
        new Error(`Expected \`${command}\` to succeed, but it ended with ${signal ?? `exit code ${code}`}.`),
      );
  });
  return promise;
};

/** Ends a child and waits until it is gone. */
export const stopProcess = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill('SIGTERM');
  await promise;
};

/**
 * What the first group of the pattern matches in the first line that has it; the other lines are given to `onOther`.
 * Reads on to the end, so that the writer never waits. Pending for ever if the line never comes.
 */
export const lineMatching = async (
  stream: Readable | null,
  pattern: RegExp,
  onOther: (line: string) => void = () => {},
): Promise<string> => {
  if (stream === null) throw new Error('Expected a stream to read lines from, got none.');
  const { promise, resolve } = Promise.withResolvers<string>();
  createInterface(stream).on('line', (line) => {
    const found = pattern.exec(line)?.[1];
    if (found === undefined) onOther(line);
    else resolve(found);
  });
  return await promise;
};
