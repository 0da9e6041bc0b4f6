/** `run`: from what was typed to a finished file, with a display on the way and a summary at the end. */
import { join } from 'node:path';
import { resolveModel } from '../../config/resolve-model.ts';
import type { Config } from '../../config/config.ts';
import { LOG_FILE, type Nightshift } from '../../wire.ts';
import { type ConfigFlags, openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { liveDisplay, type Terminal } from '../display/live-display.ts';
import { plainDisplay } from '../display/plain-display.ts';
import { quietDisplay, type RunDisplay } from '../display/run-display.ts';
import { resumeCommandOf, type RunReport, summaryJson, summaryLines } from '../display/summary.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { type WatchedSignals, watchSignals } from '../interruption.ts';
import { isExpected, UnexpectedFault } from '../printable-error.ts';
import { runBatch, type RunEnd } from '../run-batch.ts';
import { CannotRun, type RunRequest } from '../run-request.ts';
import { checkPaths, runPaths } from '../run-paths.ts';
import { readTask, type TaskFlags } from '../task-option.ts';

/** Options of `run`. */
export interface RunFlags extends ConfigFlags, TaskFlags {
  readonly out?: string | undefined;
  readonly errors?: string | undefined;
  readonly pool?: string | undefined;
  readonly name?: string | undefined;
  readonly limit?: number | undefined;
  readonly fresh?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Runs a file to its end. Everything that can be checked without the record is checked before it is opened. */
export async function run(context: CliContext, input: string, flags: RunFlags): Promise<ExitCode> {
  const request = await readRequest(context, input, flags);
  const config = await readConfig(context, flags);
  if (request.pool !== null) requirePool(config, request.pool);
  const display = openDisplay(context, flags.quiet === true);
  using signals = watchSignals(process, interruptionSayings(display), () => performance.now());
  const startedAtMs = performance.now();
  try {
    const report = await runToReport({ context, config, request, display, signals }, startedAtMs);
    display.close();
    return tell(context, report, flags.json === true);
  } catch (error) {
    display.close();
    throw isExpected(error) ? error : new UnexpectedFault(error, join(config.dataDirectory, LOG_FILE));
  }
}

async function readRequest(context: CliContext, input: string, flags: RunFlags): Promise<RunRequest> {
  const paths = runPaths({ input, ...flags }, context.workingDirectory);
  const task = await readTask(flags, context.workingDirectory);
  await checkPaths(paths);
  return {
    ...paths,
    task,
    pool: flags.pool ?? null,
    limit: flags.limit ?? null,
    fresh: flags.fresh === true,
  };
}

function requirePool(config: Config, name: string): void {
  const found = resolveModel(config, name);
  if (found.kind === 'lanes' && found.laneIds.length > 0) return;
  const nearest = found.kind === 'lanes' ? [] : found.nearest;
  const hint =
    nearest.length === 0
      ? `Pools: ${config.pools.map((pool) => pool.name).join(', ')}.`
      : `Did you mean ${nearest.join(' or ')}?`;
  throw new CannotRun(
    `Expected --pool to name a pool, alias, lane or model, got ${JSON.stringify(name)}. ${hint}`,
  );
}

function openDisplay({ stderr }: CliContext, isQuiet: boolean): RunDisplay {
  const say = (message: string): void => void stderr.write(`${message}\n`);
  if (isQuiet) return quietDisplay(say);
  return isTerminal(stderr) ? liveDisplay(stderr) : plainDisplay(say);
}

function isTerminal(screen: CliContext['stderr']): screen is Terminal {
  return screen.isTTY === true && screen.columns !== undefined && screen.columns > 0;
}

function interruptionSayings(display: RunDisplay) {
  return {
    drainRequested: () => display.stopping(),
    abortRequested: () => display.say('aborting the calls under way (Ctrl-C again exits at once)'),
    exitRequested: () => {
      display.close();
      process.exit(EXIT.interrupted);
    },
  };
}

interface Running {
  readonly context: CliContext;
  readonly config: Config;
  readonly request: RunRequest;
  readonly display: RunDisplay;
  readonly signals: WatchedSignals;
}

/** The database went away; nothing can be read or closed any more. */
class RecordLost extends CannotRun {}

/** How long a record that was lost may take to close. */
const CLOSE_PATIENCE_MS = 2_000;

async function runToReport(running: Running, startedAtMs: number): Promise<RunReport | null> {
  const { context, config, request, display, signals } = running;
  const resumeCommand = resumeCommandOf(context.arguments);
  const lost = Promise.withResolvers<never>();
  // Nobody may be listening when it comes: it is raced against the run below.
  lost.promise.catch(() => {});
  const nightshift = await openRecord(config, display.say, (error) =>
    lost.reject(
      new RecordLost(
        `Expected the embedded PostgreSQL to stay, but it went away (${error.message}). Nothing that was stored is lost. To go on, run the same again:\n  ${resumeCommand}`,
        { cause: error },
      ),
    ),
  );
  const close = async (): Promise<void> => await nightshift[Symbol.asyncDispose]();
  try {
    const end = await Promise.race([runBatch(nightshift, config, request, display, signals), lost.promise]);
    const report = await reportOf(nightshift, end, { request, startedAtMs, resumeCommand });
    await close();
    return report;
  } catch (error) {
    const cause = await Promise.race([lost.promise, tellTale(error)]).catch((reason: unknown) => reason);
    await Promise.race([close().catch(() => {}), patience(cause instanceof RecordLost)]);
    throw cause;
  }
}

/** A broken connection is usually the first word of a lost record, which says more: it is given a moment. */
async function tellTale(error: unknown): Promise<unknown> {
  const isBroken = error instanceof Error && 'code' in error;
  if (isBroken) await new Promise((resolve) => setTimeout(resolve, LOST_WORD_MS));
  return error;
}

/** How long the word that the record is lost may come after its first broken connection. */
const LOST_WORD_MS = 1_000;

async function patience(isLost: boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    if (isLost) setTimeout(resolve, CLOSE_PATIENCE_MS).unref();
  });
}

interface ReportInput {
  readonly request: RunRequest;
  readonly startedAtMs: number;
  readonly resumeCommand: string;
}

async function reportOf(
  { explain }: Nightshift,
  { kind, progress }: RunEnd,
  { request, startedAtMs, resumeCommand }: ReportInput,
): Promise<RunReport | null> {
  if (progress === null) return null;
  return {
    end: kind,
    progress,
    laneTotals: await explain.laneTotals(progress.batch.id),
    outputPath: request.output,
    errorPath: request.errors,
    durationMs: performance.now() - startedAtMs,
    resumeCommand,
  };
}

/** Prints the summary, or the JSON; `null` is a run that was stopped before it held anything. */
function tell(context: CliContext, report: RunReport | null, isJson: boolean): ExitCode {
  if (report === null) {
    const resume = resumeCommandOf(context.arguments);
    if (isJson)
      printJson(context.stdout, { end: 'interrupted', exitCode: EXIT.interrupted, resumeCommand: resume });
    else
      printLines(context.stdout, [
        'Interrupted while the input was read; nothing of it was kept. To begin again:',
        `  ${resume}`,
      ]);
    return EXIT.interrupted;
  }
  const exitCode = exitCodeOf(report);
  if (isJson) printJson(context.stdout, summaryJson(report, exitCode));
  else printLines(context.stdout, summaryLines(report));
  return exitCode;
}

/** The exit code a report stands for. */
export function exitCodeOf({ end, progress: { batch } }: RunReport): ExitCode {
  switch (end) {
    case 'interrupted':
      return EXIT.interrupted;
    case 'stuck':
      return EXIT.couldNotRun;
    case 'finished':
      return batch.failed + batch.bad > 0 ? EXIT.someFailed : EXIT.done;
  }
}
