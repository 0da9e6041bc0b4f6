/** The command `nightshift simulate`: serves a scenario until it is told to stop, and then says what happened. */
import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { configFor } from './config-for.ts';
import type { FaultRule } from './faults/fault.ts';
import { activityLine, closingTable } from './report.ts';
import { SCENARIOS, speedUp } from './scenarios/scenario.ts';
import type { RunningSimulator } from './start-simulator.ts';
import { startSimulator } from './start-simulator.ts';
import type { SimulatedTier } from './tier.ts';

/** What the command line asks for. */
export interface SimulateOptions {
  /** Default `default`. */
  readonly scenario?: 'default' | 'demo';
  /** Divides windows and latencies. Default 1. */
  readonly speed?: number;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 1. */
  readonly seed?: number;
  /** Instead of the scenario's own. */
  readonly faults?: readonly FaultRule[];
  /** Where to write a `nightshift.yaml` for these tiers. */
  readonly writeConfig?: string;
  /** Whether `writeConfig` may replace a file that no simulation wrote. Default: no. */
  readonly force?: boolean;
  /** No line per second; the base URLs and the closing table stay. */
  readonly quiet?: boolean;
  /** Ends the simulation as SIGINT and SIGTERM do. */
  readonly signal?: AbortSignal;
  /** Receives each line. Default standard output. */
  readonly print?: (line: string) => void;
}

const LINE_INTERVAL_MS = 1_000;

/** Serves until SIGINT, SIGTERM or `signal`; resolves when the server is closed. Rejects when it cannot start, or would replace a file that is not its own. */
export async function simulate(options: SimulateOptions): Promise<void> {
  await refuseOtherFile(options);
  const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
  const scenario = SCENARIOS[options.scenario ?? 'default'];
  const tiers = speedUp(scenario.tiers, options.speed ?? 1);
  const { port = 0, host = '127.0.0.1', seed = 1, faults = scenario.faults } = options;
  await using simulator = await startSimulator({ tiers, faults, port, host, seed });
  for (const tier of tiers) print(`${tier.id.padEnd(16)} ${simulator.baseUrlOf(tier.id)}`);
  print(`${'statistics'.padEnd(16)} ${simulator.url}/_/stats`);
  if (options.writeConfig !== undefined) {
    await writeFile(options.writeConfig, configText(simulator.url, tiers));
    print(`${'configuration'.padEnd(16)} ${options.writeConfig}`);
  }
  const stopTalking = options.quiet === true ? () => {} : talk(simulator, print);
  await untilStopped(options.signal);
  stopTalking();
  print(`\n${closingTable(simulator.stats())}`);
}

/** The first line of every configuration that a simulation writes: it tells them from those of people. */
const HEADING = '# Simulated free tiers on this machine: no key, no cost, no real model.\n';

async function refuseOtherFile({ writeConfig, force }: SimulateOptions): Promise<void> {
  if (writeConfig === undefined || force === true) return;
  const text = await readFile(writeConfig, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null || text.startsWith(HEADING)) return;
  throw new Error(
    `Expected --write-config to name a new file, or one that simulate wrote, got ${writeConfig}, which is neither. Name another file, or add --force to replace it.`,
  );
}

/** A `nightshift.yaml` for these tiers at this address. */
export function configText(simulatorUrl: string, tiers: readonly SimulatedTier[]): string {
  return HEADING + stringify(configFor(simulatorUrl, tiers), { flowCollectionPadding: true });
}

function talk(simulator: RunningSimulator, print: (line: string) => void): () => void {
  let before = simulator.stats();
  const timer = setInterval(() => {
    const after = simulator.stats();
    const line = activityLine(before, after);
    if (line !== null) print(line);
    before = after;
  }, LINE_INTERVAL_MS);
  return () => clearInterval(timer);
}

async function untilStopped(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
  });
}
