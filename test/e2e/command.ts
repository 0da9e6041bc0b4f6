/** Nightshift as a child process, with everything it said. */
import { spawn } from 'node:child_process';

/** What to start. */
export interface CommandOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly surroundings?: Surroundings;
}

/** What a command finds around it. */
export interface Surroundings {
  /** Written to its standard input, which is then closed; empty unless said. */
  readonly standardInput?: string;
  /** Beside the variables of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What takes longer hangs: it is killed, so that its test fails rather than waits. Default 100 s, 400 s in a long run. */
  readonly longestRunMs?: number;
}

const LONGEST_RUN_MS = process.env['NIGHTSHIFT_LONG'] === '1' ? 400_000 : 100_000;

/** How a command ended. */
export interface EndedCommand {
  /** `null` if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** @throws with what the command said if it ended in another way. */
export const requireExit = (
  { code, stderr }: Pick<EndedCommand, 'code' | 'stderr'>,
  wanted: number,
): void => {
  if (code !== wanted) throw new Error(`Expected exit code ${wanted}, got ${code}. It said:\n${stderr}`);
};

/** A command that was started. */
export interface Command {
  /** `undefined` if it could not be started, upon which `ended` rejects. */
  readonly pid: number | undefined;
  readonly startedAtMs: number;
  /** Resolves when it has ended and everything it wrote has been read. */
  readonly ended: Promise<EndedCommand>;
  /** What it wrote to standard error so far. */
  stderr(): string;
  /** Does nothing once it has ended. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts a TypeScript program with the Node that runs the tests. */
export const startCommand = ({ program, args, directory, surroundings = {} }: CommandOptions): Command => {
  const startedAtMs = Date.now();
  const { longestRunMs = LONGEST_RUN_MS } = surroundings;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', ...surroundings.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command may end before it has read everything.
  child.stdin.on('error', () => {});
  child.stdin.end(surroundings.standardInput ?? '');
  const deadline = setTimeout(() => {
    stderr += `\nKilled: still running after ${longestRunMs} ms.`;
    child.kill('SIGKILL');
  }, longestRunMs);
  const ended = new Promise<EndedCommand>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      resolve({ code, signal, stdout, stderr, durationMs: Date.now() - startedAtMs });
    });
  });
  return {
    pid: child.pid,
    startedAtMs,
    ended,
    stderr: () => stderr,
    kill: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    },
  };
};
