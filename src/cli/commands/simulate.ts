/** `simulate`: the simulated free tiers, until Ctrl-C. */
import { resolve } from 'node:path';
import type { FaultRule } from '../../simulator/faults/fault.ts';
import { simulate } from '../../simulator/main.ts';
import type { CliContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** Options of `simulate`, with commander's defaults filled in. */
export interface SimulateFlags {
  readonly port: number;
  readonly scenario: 'default' | 'demo';
  readonly speed: number;
  readonly seed: number;
  readonly writeConfig?: string | undefined;
  readonly fault?: readonly FaultRule[] | undefined;
  /** Let `writeConfig` replace any file. */
  readonly force?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Serves until SIGINT or SIGTERM, then prints what was called. Rejects where `writeConfig` would replace another's file. */
export async function simulateTiers(context: CliContext, flags: SimulateFlags): Promise<ExitCode> {
  const { port, scenario, speed, seed, writeConfig, force, fault, quiet } = flags;
  // One Ctrl-C may arrive twice, from the terminal and from a launcher: the second must not cut the closing table off.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  await simulate({
    port,
    scenario,
    speed,
    seed,
    quiet: quiet === true,
    force: force === true,
    ...(writeConfig === undefined ? {} : { writeConfig: resolve(context.workingDirectory, writeConfig) }),
    ...(fault === undefined ? {} : { faults: fault }),
    print: (line) => void context.stdout.write(`${line}\n`),
  });
  return EXIT.done;
}
