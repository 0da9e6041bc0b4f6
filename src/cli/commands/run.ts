/** `run`: from what was typed to a finished file, with a display on the way and a summary at the end. */
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { Batches } from '../../app/batches.ts';
import { linesNotSucceeded } from '../../app/progress.ts';
import { requirePool } from '../../app/take-in.ts';
import { routingOf } from '../../routing.ts';
import { LOG_FILE } from '../../wire.ts';
import { type BatchesFlags, serviceAtHand } from '../batches-at-hand.ts';
import { openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { openDisplay } from '../display/open-display.ts';
import type { RunDisplay } from '../display/run-display.ts';
import { resumeCommandOf, type RunReport, summaryJson, summaryLines } from '../display/summary.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { type WatchedSignals, watchSignals } from '../interruption.ts';
import { watchLoss, workUntilLost } from '../lost-record.ts';
import { isExpected, UnexpectedFault } from '../printable-error.ts';
import { runAsClient } from '../run-as-client.ts';
import { runBatch } from '../run-batch.ts';
import type { RunEnd } from '../run-end.ts';
import type { RunRequest } from '../run-request.ts';
import { checkPaths, runPaths } from '../run-paths.ts';
import { type PolicyFlags, readPolicy } from '../policy-option.ts';
import { readTask, type TaskFlags } from '../task-option.ts';
import { readTermsFlags, type TermsFlags } from '../terms-option.ts';

/** Options of `run`. */
export interface RunFlags extends BatchesFlags, TaskFlags, PolicyFlags, TermsFlags {
  readonly out?: string | undefined;
  readonly errors?: string | undefined;
  readonly pool?: string | undefined;
  readonly name?: string | undefined;
  /** In billionths of a dollar. */
  readonly maxCost?: number | undefined;
  readonly limit?: number | undefined;
  readonly fresh?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Runs a file to its end, here or at a service. Everything that can be checked beforehand is checked beforehand. */
export async function run(context: CliContext, input: string, flags: RunFlags): Promise<ExitCode> {
  const request = await readRequest(context, input, flags);
  const loose = await readConfig(context, flags, { allowNoLanes: true, isSilent: true });
  const service = await serviceAtHand(loose, flags.url);
  const config = service === null ? await readConfig(context, flags) : loose;
  if (service === null && request.pool !== null) requirePool(routingOf(config), request.pool);
  const display = openDisplay(context, flags.quiet === true);
  using signals = watchSignals(process, interruptionSayings(display), () => performance.now());
  const startedAtMs = performance.now();
  try {
    const { listener, notices } = rememberingNotices(display);
    const running = { context, config, request, display, listener, signals };
    const end = service === null ? await runHere(running) : await runThere(running, service);
    const report = reportOf(end, {
      request,
      startedAtMs,
      resumeCommand: resumeCommandOf(context.arguments),
      isServed: service !== null,
      notices,
    });
    display.close();
    return tell(context, report, flags.json === true);
  } catch (error) {
    display.close();
    throw isExpected(error) ? error : new UnexpectedFault(error, join(config.dataDirectory, LOG_FILE));
  }
}

async function readRequest(context: CliContext, input: string, flags: RunFlags): Promise<RunRequest> {
  const paths = runPaths({ input, ...flags }, context.workingDirectory);
  const terms = readTermsFlags(flags);
  const task = await readTask(flags, context.workingDirectory);
  await checkPaths(paths);
  return {
    ...paths,
    task,
    pool: flags.pool ?? null,
    policy: readPolicy(flags),
    maxCostNanoDollars: flags.maxCost ?? null,
    terms,
    limit: flags.limit ?? null,
    fresh: flags.fresh === true,
  };
}

/** The display, and what it was told to show of the providers: programs read it at the end. */
function rememberingNotices(display: RunDisplay) {
  const notices: string[] = [];
  const listener: RunDisplay = {
    ...display,
    noticed(told) {
      notices.push(...told);
      display.noticed(told);
    },
  };
  return { listener, notices };
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
  readonly listener: RunDisplay;
  readonly signals: WatchedSignals;
}

async function runThere(
  { config, request, display, listener, signals }: Running,
  { url, batches }: { readonly url: string; readonly batches: Batches },
): Promise<RunEnd> {
  display.say(`the service at ${url} runs it; this command watches and writes the files`);
  return await runAsClient(
    { batches, spoolDirectory: config.dataDirectory, listener, interruption: signals },
    request,
  );
}

async function runHere({ context, config, request, display, listener, signals }: Running): Promise<RunEnd> {
  const loss = watchLoss(`To go on, run the same again:\n  ${resumeCommandOf(context.arguments)}`);
  const nightshift = await openRecord(config, display.say, { onLost: loss.onLost });
  return await workUntilLost(
    loss,
    () => runBatch({ nightshift, config, listener, interruption: signals }, request),
    async () => await nightshift[Symbol.asyncDispose](),
  );
}

interface ReportInput {
  readonly request: RunRequest;
  readonly startedAtMs: number;
  readonly resumeCommand: string;
  readonly isServed: boolean;
  readonly notices: readonly string[];
}

function reportOf(
  { kind, progress, laneTotals }: RunEnd,
  { request, startedAtMs, resumeCommand, isServed, notices }: ReportInput,
): RunReport | null {
  if (progress === null) return null;
  return {
    end: kind,
    progress,
    laneTotals,
    isServed,
    notices,
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
      return linesNotSucceeded(batch) > 0 ? EXIT.someFailed : EXIT.done;
  }
}
