/** `doctor`: configuration, record and keys, checked without spending any quota. */
import { probeProvider } from '../../adapters/openai/probe-provider.ts';
import { disagreements } from '../../app/announce.ts';
import type { Closing } from '../../app/ports.ts';
import type { Config } from '../../config/config.ts';
import { DEMO_OFFER } from '../../config/no-keys-message.ts';
import type { Nightshift } from '../../wire.ts';
import { type ConfigFlags, openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { judgeProvider, type Verdict } from '../diagnosis.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { oneLine } from '../text/width.ts';

/** Options of `doctor`. */
export interface DoctorFlags extends ConfigFlags {
  readonly json?: boolean | undefined;
}

/** What was found of the record and the queues. */
interface StoreFinding {
  readonly isOpen: boolean;
  /** Where it is: the data directory, or the variable that names the server. */
  readonly place: string;
  readonly dataDirectory: string;
  /** The server's version, or why it does not open. */
  readonly detail: string;
  /** Whether the queues answer, in words; `null` where nobody could ask. */
  readonly queues: string | null;
  /** What works, but not as it should; one sentence each. */
  readonly warnings: readonly string[];
  readonly closings: readonly Closing[];
}

/** Checks everything and says what to do. */
export async function doctor(context: CliContext, flags: DoctorFlags): Promise<ExitCode> {
  const config = await readConfig(context, flags, { allowNoLanes: true });
  const store = await examineStore(context, config);
  const verdicts = await Promise.all(
    config.providers.map(async (provider) =>
      judgeProvider({
        provider,
        probe: await probeProvider(provider, config.keys.keyOf(provider.id)),
        closings: store.closings,
        nowMs: Date.now(),
      }),
    ),
  );
  const isWell = store.isOpen && verdicts.some(({ isUsable }) => isUsable);
  const findings = { isWell, config, store, verdicts };
  if (flags.json === true) printJson(context.stdout, jsonOf(findings));
  else printLines(context.stdout, linesOf(findings));
  return isWell ? EXIT.done : EXIT.couldNotRun;
}

interface Findings {
  readonly isWell: boolean;
  readonly config: Config;
  readonly store: StoreFinding;
  readonly verdicts: readonly Verdict[];
}

async function examineStore({ stderr }: CliContext, config: Config): Promise<StoreFinding> {
  const { dataDirectory, home } = config;
  try {
    await using nightshift = await openRecord(config, (message) => void stderr.write(`${message}\n`));
    const closings = await nightshift.health.closings();
    const detail = `PostgreSQL ${await nightshift.explain.serverVersion()}`;
    const warnings = disagreements(await nightshift.processes.processes());
    const queues = await examineQueues(nightshift);
    return {
      isOpen: queues.isOpen,
      place: home === 'embedded' ? dataDirectory : 'DATABASE_URL',
      dataDirectory,
      detail,
      queues: queues.detail,
      warnings: [...warnings, ...queues.warnings],
      closings,
    };
  } catch (error) {
    const place = home === 'embedded' ? dataDirectory : 'DATABASE_URL';
    return { ...NOTHING_KNOWN, place, dataDirectory, detail: messageOf(error) };
  }
}

const NOTHING_KNOWN = { isOpen: false, queues: null, warnings: [], closings: [] } as const;

async function examineQueues(nightshift: Nightshift) {
  try {
    const queues = await nightshift.openQueues();
    await queues.ping();
    return { isOpen: true, detail: 'the queues answer', warnings: queues.warnings };
  } catch (error) {
    return { isOpen: false, detail: messageOf(error), warnings: [] };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function jsonOf({ isWell, config, store, verdicts }: Findings) {
  const { isOpen, dataDirectory, detail, queues, warnings } = store;
  return {
    isWell,
    configuration: { file: config.file, warnings: config.warnings },
    store: { isOpen, dataDirectory, detail, queues, warnings },
    providers: verdicts,
    unavailable: config.unavailable,
  };
}

function linesOf({ isWell, config, store, verdicts }: Findings): readonly string[] {
  const lanes = config.providers.reduce((count, provider) => count + provider.lanes.length, 0);
  const usable = verdicts.filter(({ isUsable }) => isUsable).length;
  return [
    mark(
      true,
      `configuration: ${config.file ?? 'no file, so every known provider whose key is in the environment'}`,
    ),
    mark(store.isOpen || store.queues !== null, `record: ${store.place}: ${store.detail}`),
    ...(store.queues === null ? [] : [mark(store.isOpen, `queues: ${store.queues}`)]),
    ...store.warnings.map((warning) => `  warning: ${warning}`),
    '',
    ...(verdicts.length === 0
      ? noProviderLines(config)
      : ['Providers (asked for their list of models, which costs no quota):']),
    ...verdicts.flatMap(verdictLines),
    ...offLines(config),
    ...(verdicts.length === 0 ? ['', DEMO_OFFER] : []),
    '',
    isWell
      ? `Ready: ${usable} of ${verdicts.length} providers can be used, ${lanes} lanes are configured.`
      : 'Not ready: see what to do above.',
  ];
}

/** What is off, why, and how to get each key follows as a list of its own. */
function noProviderLines({ unavailable }: Config): readonly string[] {
  if (unavailable.length === 0) return ['No provider can be used: the configuration lists none.'];
  return [
    'No provider can be used.',
    ...(unavailable.some(({ kind }) => kind === 'no-key')
      ? [
          'A free key takes a few minutes: put one of these into the environment, or into a .env beside nightshift.yaml.',
        ]
      : []),
  ];
}

function verdictLines({ providerId, isUsable, finding, wayOut, notes }: Verdict): readonly string[] {
  return [
    mark(isUsable, `${providerId} ${oneLine(finding)}`),
    ...(wayOut === null ? [] : [`    → ${oneLine(wayOut)}`]),
    ...notes.map((note) => `    · ${oneLine(note)}`),
  ];
}

function offLines({ unavailable }: Config): readonly string[] {
  if (unavailable.length === 0) return [];
  return [
    '',
    'Not on:',
    ...unavailable.map(({ providerId, reason }) => `  · ${providerId}: ${oneLine(reason)}`),
  ];
}

function mark(isGood: boolean, text: string): string {
  return `  ${isGood ? '✓' : '✗'} ${text}`;
}
