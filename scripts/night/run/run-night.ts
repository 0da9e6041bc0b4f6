/** One night: the least possible time, and everybody who tries, one after the other on providers of their own. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaneShare, LeastPossibleSolver } from '../least-possible.ts';
import type { Night } from '../night.ts';
import { writeNight } from '../night-file.ts';
import type { NightHomeName } from './home.ts';
import { type ForecastFigures, readForecasts } from './forecasts.ts';
import { watchDelay } from './machine-delay.ts';
import { measureRun, nightFrom, type RunFigures } from './measure.ts';
import { runOurs } from './ours.ts';
import { tellProgress } from './progress.ts';
import { runPull } from './pull.ts';
import type { Contender } from './setting.ts';
import { startProviders } from './simulated-providers.ts';

/** Those who try, by name. */
export const CONTENDERS = { ours: runOurs, pull: runPull } as const satisfies Readonly<
  Record<string, Contender>
>;
/** The name of one. */
export type ContenderName = keyof typeof CONTENDERS;

/** How nights are run. */
export interface NightSetting {
  readonly rate: number;
  readonly home: NightHomeName;
  /** As in `RunSetting`. */
  readonly isPractised: boolean;
  readonly contenders: readonly ContenderName[];
  /** Holds a directory per run. */
  readonly directory: string;
  /** Whether that stays: input, output, log, record, and every call as the simulator saw it. */
  readonly isKept: boolean;
  readonly solver: LeastPossibleSolver;
  readonly signal: AbortSignal;
}

/** What came of a night. */
export interface NightResult {
  readonly shape: string;
  readonly seed: number;
  readonly documents: number;
  readonly tokens: number;
  /** Documents that fit no lane. */
  readonly fitNowhere: number;
  readonly least: LeastFigures;
  readonly runs: readonly ContenderResult[];
}

/** The least possible, for the night as it was meant to begin. */
export interface LeastFigures {
  readonly leastMs: number;
  /** By the deadline, where the night has one. */
  readonly mostByDeadline: number | null;
  readonly lanes: readonly LaneShare[];
}

/** What one of them came to. */
export interface ContenderResult {
  readonly name: ContenderName;
  /** Why it is not to be compared; `null` where it did everything. */
  readonly fault: string | null;
  /** `null` where there was no call. */
  readonly figures: RunFigures | null;
  /**
   * Its time to the least possible of the night that began with its own first call; with a deadline, the most that is
   * possible by then to what was done.
   */
  readonly ratio: number;
  /** `null` of those who forecast nothing. */
  readonly forecast: ForecastFigures | null;
  /** Real time, start and end included. */
  readonly realMs: number;
  /** What the machine delayed processes by, once in a thousand times: of the night, which passes faster than real time. */
  readonly machineDelayMs: number;
}

/** A run is given up after so many times the least possible, and half an hour of the night. */
const LONGEST_RATIO = 5;
const LONGEST_EXTRA_MS = 30 * 60_000;

/** Runs the night with everybody. */
export const runNight = async (night: Night, setting: NightSetting): Promise<NightResult> => {
  const { solver, contenders } = setting;
  const { leastMs, fitNowhere, lanes } = solver.leastPossible(night);
  const mostByDeadline = night.deadlineMs === null ? null : solver.mostDocumentsBy(night, night.deadlineMs);
  const runs: ContenderResult[] = [];
  for (const name of contenders) runs.push(await runContender(name, night, { ...setting, leastMs }));
  return {
    shape: night.shape,
    seed: night.seed,
    documents: night.documents.length,
    tokens: night.documents.reduce((sum, one) => sum + one.promptTokens + one.answerTokens, 0),
    fitNowhere,
    least: { leastMs, mostByDeadline, lanes },
    runs,
  };
};

const runContender = async (
  name: ContenderName,
  night: Night,
  setting: NightSetting & { readonly leastMs: number },
): Promise<ContenderResult> => {
  const { rate, home, isPractised, solver, signal, leastMs } = setting;
  const directory = join(setting.directory, name);
  await mkdir(directory);
  const nightFile = join(directory, 'night.json');
  await writeFile(nightFile, writeNight(night));
  const startedAtMs = performance.now();
  const delay = watchDelay();
  try {
    await using providers = await startProviders(nightFile, rate);
    using progress = tellProgress(`${night.shape} ${night.seed}, ${name}`, night, providers);
    progress.begin();
    const longestMs = leastMs * LONGEST_RATIO + LONGEST_EXTRA_MS;
    const fault = await CONTENDERS[name]({
      night,
      nightFile,
      providers,
      rate,
      home,
      isPractised,
      directory,
      longestMs,
      signal,
    });
    const realMs = performance.now() - startedAtMs;
    const machineDelayMs = delay.stop() * rate;
    const calls = await providers.calls();
    await writeFile(join(directory, CALLS), JSON.stringify(calls));
    const figures = calls.some(({ outcome }) => outcome.kind === 'succeeded')
      ? measureRun(night, calls)
      : null;
    const ratio = figures === null ? Number.NaN : ratioOf(solver, night, figures);
    // What was said of the whole is not what comes of a part.
    const foretells = figures !== null && name === 'ours' && night.deadlineMs === null;
    const forecast = foretells ? await readForecasts(directory, figures) : null;
    progress.end(figures, ratio);
    return {
      name,
      fault: fault ?? incomplete(night, figures),
      figures,
      ratio,
      forecast,
      realMs,
      machineDelayMs,
    };
  } finally {
    if (!setting.isKept) await rm(directory, { recursive: true, force: true });
  }
};

/** The simulator's log of calls, in the directory of a run. */
const CALLS = 'calls.json';

const ratioOf = (
  solver: LeastPossibleSolver,
  night: Night,
  { firstCallAtMs, makespanMs, doneByDeadline }: RunFigures,
): number => {
  const asItBegan = nightFrom(night, firstCallAtMs);
  return night.deadlineMs === null || doneByDeadline === null
    ? makespanMs / solver.leastPossible(asItBegan).leastMs
    : solver.mostDocumentsBy(asItBegan, night.deadlineMs) / doneByDeadline;
};

/** With a deadline nobody need do everything. */
const incomplete = ({ documents, deadlineMs }: Night, figures: RunFigures | null): string | null =>
  figures?.documentsDone === documents.length || deadlineMs !== null
    ? null
    : `answered ${figures?.documentsDone ?? 0} of ${documents.length} documents`;
