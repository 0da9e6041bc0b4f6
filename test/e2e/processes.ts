/**
 * The service as a test runs it: any number of `nightshift up` processes on one stage, each of one role or of all, and
 * each killed and restarted at will.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, EndedCommand, Surroundings } from './command.ts';
import type { Stage } from './stage.ts';

/** What one process does of the service's work. */
export const ROLES = ['api', 'dispatcher', 'worker'] as const;

/** A role by name. */
export type Role = (typeof ROLES)[number];

/** One place in the service, held by a process at a time. */
export interface ServiceProcess {
  /** The role and a number, such as `worker-2`; `service` where it has every role. */
  readonly name: string;
  /** Where the process that runs now serves HTTP; a restarted one has another port, unless one was chosen. */
  url(): string;
  /** The process that runs now, or ran last. */
  command(): Command;
  /** Resolves with how it ended; at once if it has ended. Default `SIGKILL`. */
  kill(signal?: NodeJS.Signals): Promise<EndedCommand>;
  /** Kills what runs there, starts another and resolves when that is ready. */
  restart(signal?: NodeJS.Signals): Promise<void>;
}

/** How many processes of each role; none unless said. */
export type RoleCounts = Readonly<Partial<Record<Role, number>>>;

/** How processes are started. */
export interface ProcessOptions {
  readonly counts: RoleCounts;
  /** Beside `--role` and `--port`. */
  readonly args?: readonly string[];
  /** What each finds around it. By default it may run for 10 minutes. */
  readonly surroundings?: Surroundings;
}

/** How a process that has every role is started. */
export interface ServiceOptions {
  /** Default any free one. */
  readonly port?: number;
  /** By default it may run for 10 minutes. */
  readonly surroundings?: Surroundings;
}

const LONGEST_RUN_MS = 600_000;
const READY_PATIENCE_MS = 30_000;
const BETWEEN_LOOKS_MS = 20;

/**
 * Starts the processes, all at once, and resolves when each is ready to work. The end of the stage kills them.
 *
 * @throws with what a process said if it ended, or was not ready within 30 s.
 */
export const startProcesses = async (
  stage: Stage,
  { counts, args = [], surroundings }: ProcessOptions,
): Promise<readonly ServiceProcess[]> =>
  await Promise.all(
    ROLES.flatMap((role) =>
      Array.from({ length: counts[role] ?? 0 }, (_, index) =>
        startProcess(`${role}-${index + 1}`, () =>
          startUp(stage, ['--role', role, '--port', '0', ...args], surroundings),
        ),
      ),
    ),
  );

/** Starts one process that has every role, as {@link startProcesses} does. */
export const startService = async (
  stage: Stage,
  { port = 0, surroundings }: ServiceOptions = {},
): Promise<ServiceProcess> =>
  await startProcess('service', () => startUp(stage, ['--port', String(port)], surroundings));

const startUp = (stage: Stage, args: readonly string[], surroundings: Surroundings = {}): Command =>
  stage.start(['up', ...args], { longestRunMs: LONGEST_RUN_MS, ...surroundings });

const startProcess = async (name: string, start: () => Command): Promise<ServiceProcess> => {
  let current = await startReady(name, start);
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<EndedCommand> => {
    current.command.kill(signal);
    return await current.command.ended;
  };
  return {
    name,
    url: () => current.url,
    command: () => current.command,
    kill,
    async restart(signal) {
      await kill(signal);
      current = await startReady(name, start);
    },
  };
};

interface Ready {
  readonly command: Command;
  readonly url: string;
}

const startReady = async (name: string, start: () => Command): Promise<Ready> => {
  const command = start();
  const wait = { command, name, deadlineMs: Date.now() + READY_PATIENCE_MS };
  try {
    const url = await waitFor(wait, 'the line `listening on`', async () => listeningUrl(command.stderr()));
    await waitFor(wait, '200 from /readyz', async () => ((await isReady(url)) ? url : undefined));
    return { command, url };
  } catch (error) {
    command.kill('SIGKILL');
    throw error;
  }
};

/** Only a whole line counts: its port may still be on the way. */
const listeningUrl = (stderr: string): string | undefined =>
  /listening on (?<url>http:\/\/\S+)\s*\n/u.exec(stderr)?.groups?.['url']?.replace(/\/$/u, '');

const isReady = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) })).status === 200;
  } catch {
    return false;
  }
};

interface Wait {
  readonly command: Command;
  readonly name: string;
  readonly deadlineMs: number;
}

/** What `look` finds, as soon as it finds it, while the command runs and the deadline has not passed. */
const waitFor = async <T>(
  { command, name, deadlineMs }: Wait,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> => {
  const ended = command.ended.then(() => 'ended');
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const hasEnded = (await Promise.race([ended, delay(BETWEEN_LOOKS_MS, 'runs')])) === 'ended';
    if (!hasEnded && Date.now() <= deadlineMs) continue;
    const fault = hasEnded ? 'it ended' : 'it is not ready';
    throw new Error(`Expected ${what} of ${name}, but ${fault}. It said:\n${command.stderr()}`);
  }
};
