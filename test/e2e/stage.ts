/**
 * A whole night on this machine: simulated providers in the test's process, Nightshift as processes of its own, on
 * either home. Disposing ends every process, stops the embedded PostgreSQL and removes every file.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { stringify } from 'yaml';
import { recordClientConfig } from '../../src/adapters/postgres/connect.ts';
import { configFor } from '../../src/simulator/config-for.ts';
import type { Clock } from '../../src/simulator/clock.ts';
import type { FaultRule } from '../../src/simulator/faults/fault.ts';
import { type RunningSimulator, startSimulator } from '../../src/simulator/start-simulator.ts';
import type { SimulatedTier } from '../../src/simulator/tier.ts';
import type { HomeName } from '../homes/homes.ts';
import { type Command, type EndedCommand, startCommand, type Surroundings } from './command.ts';
import { openStageHome, type StageHome } from './stage-home.ts';

/** What a night is set up with. */
export interface StageOptions {
  /** From `describeHomes`, which has the home ready. */
  readonly home: HomeName;
  readonly tiers: readonly SimulatedTier[];
  /** What the configuration says of them, where that is not the truth. */
  readonly declaredTiers?: readonly SimulatedTier[];
  readonly faults?: readonly FaultRule[];
  /** Of the simulated providers; the machine's unless said. */
  readonly clock?: Clock;
  /** Pools beside `small`, which has every lane. */
  readonly pools?: Readonly<Record<string, readonly string[]>>;
  /** The variable that holds the key of every provider; none needs one unless said. */
  readonly apiKeyEnv?: string;
  /** Of every lane; the product's own default unless said. */
  readonly timeout?: string;
  /**
   * Whether the stage itself holds the embedded PostgreSQL open, so that commands need not start it. Default: yes. The
   * servers of the Redis home are always there.
   */
  readonly holdsServer?: boolean;
}

/** A night, set up. */
export interface Stage extends AsyncDisposable {
  readonly simulator: RunningSimulator;
  readonly dataDirectory: string;
  /** The path of a file of that name in the stage's own directory. */
  path(name: string): string;
  /** Writes a file of these lines, or of these bytes, and returns its path. */
  write(name: string, content: readonly string[] | Buffer): Promise<string>;
  /** Starts `nightshift` with these arguments, on the stage's configuration and its home. */
  start(args: readonly string[], surroundings?: Surroundings): Command;
  /** Starts it and waits for its end. */
  run(args: readonly string[], surroundings?: Surroundings): Promise<EndedCommand>;
  /** The first column of the first row that a query of the record gives. */
  ask(sql: string): Promise<unknown>;
}

const PROGRAM = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Sets a night up. */
export const setStage = async (options: StageOptions): Promise<Stage> => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-e2e-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const dataDirectory = join(directory, 'data');
  const { tiers, faults = [], clock, holdsServer = true } = options;
  const home = stack.use(await openStageHome({ home: options.home, dataDirectory, holdsServer }));
  const simulator = stack.use(
    await startSimulator({ tiers, faults, ...(clock === undefined ? {} : { clock }) }),
  );
  const config = join(directory, 'nightshift.yaml');
  await writeFile(config, configText(simulator.url, options));

  const commands: Command[] = [];
  stack.defer(async () => {
    for (const command of commands) command.kill('SIGKILL');
    await Promise.all(commands.map((command) => command.ended));
  });
  const start = (args: readonly string[], surroundings: Surroundings = {}): Command => {
    const command = startCommand({
      program: PROGRAM,
      args: [...args, '--config', config, ...home.args],
      directory,
      surroundings: { ...surroundings, environment: { ...home.environment, ...surroundings.environment } },
    });
    commands.push(command);
    return command;
  };
  const opened = stack.move();
  return {
    simulator,
    dataDirectory,
    path: (name) => join(directory, name),
    async write(name, content) {
      const path = join(directory, name);
      await writeFile(path, Buffer.isBuffer(content) ? content : content.map((line) => `${line}\n`).join(''));
      return path;
    },
    start,
    run: async (args, surroundings) => await start(args, surroundings).ended,
    ask: async (sql) => await ask(home, sql),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

const ask = async (home: StageHome, sql: string): Promise<unknown> => {
  await using record = await home.openRecord();
  const client = new pg.Client(recordClientConfig(record.address));
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
};

const configText = (url: string, options: StageOptions): string => {
  const { tiers, declaredTiers = tiers, pools = {}, timeout, apiKeyEnv } = options;
  const base = configFor(url, declaredTiers, apiKeyEnv);
  const providers = Object.entries(base.providers).map(([id, provider]) => {
    const models = Object.entries(provider.models).map(([name, model]) => [
      name,
      timeout === undefined ? model : { ...model, timeout },
    ]);
    return [id, { ...provider, models: Object.fromEntries(models) }];
  });
  return stringify({ ...base, providers: Object.fromEntries(providers), pools: { ...base.pools, ...pools } });
};
