/** `doctor`: configuration, record, clock and keys, with at most one call to each provider. */
import { type Probe, probeProvider } from '../../adapters/openai/probe-provider.ts';
import { type ConfigFlags, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { clockFinding } from '../doctor/clock-finding.ts';
import { judgeProvider } from '../doctor/diagnosis.ts';
import { examineStore } from '../doctor/examine-store.ts';
import { findingsJson, findingsLines, isWell } from '../doctor/findings.ts';
import { planCheck } from '../doctor/key-check.ts';
import { spendingOf } from '../doctor/spending.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** Options of `doctor`. */
export interface DoctorFlags extends ConfigFlags {
  /** Also asks providers of whom every call may count. */
  readonly all?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Checks everything and says what to do. */
export async function doctor(context: CliContext, flags: DoctorFlags): Promise<ExitCode> {
  const { stdout, stderr } = context;
  const config = await readConfig(context, flags, { allowNoLanes: true });
  const store = await examineStore(config, (message) => void stderr.write(`${message}\n`));
  const asked = await Promise.all(
    config.providers.map(async (provider) => {
      const check = planCheck(provider, { all: flags.all === true });
      const key = config.keys.keyOf(provider.id);
      const probe: Probe | null =
        check === null ? null : await probeProvider({ provider, key, path: check.path });
      return { provider, check, probe };
    }),
  );
  const verdicts = asked.map(({ provider, check, probe }) =>
    judgeProvider({
      provider,
      probe,
      provesKey: check?.provesKey ?? false,
      closings: store.closings,
      lowered: store.lowered,
      nowMs: Date.now(),
    }),
  );
  const findings = {
    config,
    store,
    verdicts,
    clock: clockFinding(asked.flatMap(({ probe }) => probe ?? [])),
    spending: spendingOf(new Map(asked.map(({ provider, check }) => [provider.id, check]))),
  };
  if (flags.json === true) printJson(stdout, findingsJson(findings));
  else printLines(stdout, findingsLines(findings));
  return isWell(findings) ? EXIT.done : EXIT.couldNotRun;
}
