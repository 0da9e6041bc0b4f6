/** One server program that a test starts, stops and kills, always on the same data and the same port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from '../../src/adapters/embedded-postgres/run-as.ts';

/** What to start, and how to see that it serves. */
export interface ServerProgram {
  /** For messages. */
  readonly name: string;
  readonly command: Command;
  /** Everything it writes goes there. */
  readonly logFile: string;
  /** Asks for an order that loses nothing. */
  readonly stopSignal: NodeJS.Signals;
  /** Resolves if it serves a client; rejects if it does not, or not yet. */
  probe(): Promise<void>;
}

/** A server program under control. Disposing kills it. */
export interface ServerProcess extends AsyncDisposable {
  /** @throws while it does not run. */
  pid(): number;
  /** Resolves when it serves; at once where it runs. Rejects after 30 s with the end of its log. */
  start(): Promise<void>;
  /** Stops it in order; resolves when it is gone. */
  stop(): Promise<void>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

const START_PATIENCE_MS = 30_000;
const BETWEEN_PROBES_MS = 50;

/** The program, not yet started. It dies with this process at the latest. */
export const serverProcess = (program: ServerProgram): ServerProcess => {
  let child: ChildProcess | undefined;
  const killAtExit = (): void => void child?.kill('SIGKILL');
  process.once('exit', killAtExit);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!runs(child)) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    pid() {
      if (runs(child) && child.pid !== undefined) return child.pid;
      throw new Error(`Expected ${program.name} to run, but it does not. Start it first.`);
    },
    async start() {
      const deadlineMs = Date.now() + START_PATIENCE_MS;
      // One that was killed may leave shared memory behind for a moment, and the next ends because of it.
      for (;;) {
        if (!runs(child)) child = await launch(program);
        const fault = await program.probe().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (fault === undefined) return;
        if (Date.now() > deadlineMs) throw await notServing(program, fault);
        await delay(BETWEEN_PROBES_MS);
      }
    },
    stop: () => end(program.stopSignal),
    kill: () => end('SIGKILL'),
    async [Symbol.asyncDispose]() {
      process.off('exit', killAtExit);
      await end('SIGKILL');
    },
  };
};

const runs = (child: ChildProcess | undefined): child is ChildProcess =>
  child !== undefined && child.exitCode === null && child.signalCode === null;

/** @throws where the program cannot be run at all. */
const launch = async ({ command, logFile }: ServerProgram): Promise<ChildProcess> => {
  await using log = await open(logFile, 'a');
  const child = spawn(command.file, command.args, {
    ...command.options,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn');
  return child;
};

const notServing = async ({ name, logFile }: ServerProgram, cause: unknown): Promise<Error> => {
  const log = await readFile(logFile, 'utf8');
  return new Error(
    `Expected ${name} to serve within ${START_PATIENCE_MS / 1_000} s, but it does not. Its log ends with:\n${log.slice(-2_000)}`,
    { cause },
  );
};
