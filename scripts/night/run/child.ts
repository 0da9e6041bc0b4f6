/** A program of a bench, run to its end within bounds, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';

/** What is run. */
export interface ChildOptions {
  /** A TypeScript file and its arguments. */
  readonly script: readonly string[];
  readonly workingDirectory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Told to end after this long, in real ms. */
  readonly longestMs: number;
  readonly signal: AbortSignal;
}

/** How it ended; `said` is the end of what it wrote. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly said: string }
  | { readonly kind: 'too-long' };

const KEPT_CHARACTERS = 1_000;
/** A program that is told to end drains its calls first. */
const PATIENCE_MS = 5_000;

/** Runs it. Rejects when the signal aborts, after it is gone. */
export const runChild = async (options: ChildOptions): Promise<ChildEnd> => {
  const { script, workingDirectory, environment, longestMs, signal } = options;
  signal.throwIfAborted();
  const { PATH = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, script, {
    cwd: workingDirectory,
    env: { PATH, HOME: workingDirectory, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Of a Ctrl-C in the terminal it hears from us alone.
    detached: true,
  });
  let said = '';
  const keep = (text: string): void => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    stop(child);
  }, longestMs);
  const abort = (): void => stop(child);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const code = await exitOf(child);
    signal.throwIfAborted();
    return isLate ? { kind: 'too-long' } : { kind: 'exited', code, said };
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
  }
};

const stop = (child: ChildProcess): void => {
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  child.once('exit', () => clearTimeout(impatience));
};

/** 128 and more for one that a signal ended. */
const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
