/** `plan`: when a file would be done, by which lanes, and what would help. Nothing is sent and nothing is stored. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { holdsCluster } from '../../adapters/embedded-postgres/is-there.ts';
import { openInput } from '../../adapters/files/open-input.ts';
import { readLines } from '../../adapters/files/read-lines.ts';
import { openTokenizer } from '../../adapters/tokens/open-tokenizer.ts';
import { newTerms, requireTerms, termsAfter } from '../../app/adopt-terms.ts';
import { routingUnder } from '../../app/batch-policy.ts';
import type { Batch } from '../../app/batch-store.ts';
import { forecastInput } from '../../app/forecast/forecast-input.ts';
import { type MeasuredInput, measureInput } from '../../app/measure-input.ts';
import type { Routing } from '../../app/ports.ts';
import { linesDone, waitsForNightUntilMs } from '../../app/progress.ts';
import { standingSituation, untouchedSituation } from '../../app/standing-situation.ts';
import type { Config } from '../../config/config.ts';
import { ALL_POOL } from '../../config/ready-pools.ts';
import type { BatchTerms, WantedTerms } from '../../core/batch-terms.ts';
import type { Policy } from '../../core/policy.ts';
import type { TaskSpec } from '../../core/tasks/task-spec.ts';
import { catalogProvider } from '../../providers/catalog.ts';
import { routingOf } from '../../routing.ts';
import { knownNamesBeside, type Nightshift } from '../../wire.ts';
import { type ConfigFlags, openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines, wantsColour } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { candidatesOf, freeTiersBeside, laneIdsIn } from '../plan/candidates.ts';
import { openPlansHere } from '../plan/plan-here.ts';
import { planJson } from '../plan/plan-json.ts';
import { planLines } from '../plan/plan-lines.ts';
import type { KnownBatch, PlanReport } from '../plan/plan-report.ts';
import { waitingDisplay, type WaitingDisplay } from '../plan/waiting-display.ts';
import { type PolicyFlags, readPolicy } from '../policy-option.ts';
import { checkReadable, inputName } from '../run-paths.ts';
import { readTask, type TaskFlags } from '../task-option.ts';
import { readTermsFlags, type TermsFlags } from '../terms-option.ts';
import { fitLine, paint } from '../text/styled.ts';

/** Options of `plan`: those of `run` that decide what is called, and where. */
export interface PlanFlags extends ConfigFlags, TaskFlags, PolicyFlags, TermsFlags {
  readonly pool?: string | undefined;
  readonly name?: string | undefined;
  readonly limit?: number | undefined;
  readonly maxCost?: number | undefined;
  readonly json?: boolean | undefined;
}

/** Prints the forecast. Ctrl-C ends it; there is nothing to resume. */
export async function plan(context: CliContext, input: string, flags: PlanFlags): Promise<ExitCode> {
  const { stdout, workingDirectory } = context;
  const asked = await readQuestion(input, flags, workingDirectory);
  const config = await readConfig(context, flags, { allowNoLanes: true });
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.on('SIGINT', interrupt);
  const display = waitingDisplay(context, () => performance.now());
  try {
    await using record = await openRecordThatIsThere(context, config);
    const report = await reportOn({ asked, config, record, display, signal: stop.signal });
    display.close();
    if (flags.json === true) printJson(stdout, planJson(report));
    else print(context, report);
    return EXIT.done;
  } catch (error) {
    display.close();
    if (stop.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function print({ stdout }: CliContext, report: PlanReport): void {
  const columns = stdout.isTTY === true ? (stdout.columns ?? 80) : Infinity;
  const lines = planLines(report, columns);
  printLines(
    stdout,
    lines.map((line) => paint(fitLine(line, columns), wantsColour(stdout)).trimEnd()),
  );
}

/** What was typed, understood as far as that goes without a configuration. */
interface AskedPlan {
  readonly input: string;
  readonly name: string;
  /** As for a submission: standard input has no name of its own. */
  readonly identityName: string | null;
  readonly task: TaskSpec | null;
  readonly pool: string | null;
  readonly policy: Policy | null;
  readonly limit: number | null;
  readonly terms: WantedTerms;
  readonly maxCostNanoDollars: number | null;
}

const STANDARD_INPUT = '-';

async function readQuestion(input: string, flags: PlanFlags, workingDirectory: string): Promise<AskedPlan> {
  const terms = requireTerms(readTermsFlags(flags));
  const isPiped = input === STANDARD_INPUT;
  const name = isPiped ? (flags.name ?? 'standard input') : flags.name;
  const source = inputName(input, name, workingDirectory);
  await checkReadable(source.input);
  return {
    ...source,
    identityName: isPiped ? source.name : null,
    task: await readTask(flags, workingDirectory),
    pool: flags.pool ?? null,
    policy: readPolicy(flags),
    limit: flags.limit ?? null,
    terms,
    maxCostNanoDollars: flags.maxCost ?? null,
  };
}

/** The record to look at; `null` where there is none yet, and none is made. */
async function openRecordThatIsThere(context: CliContext, config: Config): Promise<Nightshift | null> {
  if (config.home === 'embedded' && !(await holdsCluster(config.dataDirectory))) return null;
  return await openRecord(config, (message) => void context.stderr.write(`${message}\n`));
}

interface Planning {
  readonly asked: AskedPlan;
  readonly config: Config;
  readonly record: Nightshift | null;
  readonly display: WaitingDisplay;
  readonly signal: AbortSignal;
}

async function reportOn(planning: Planning): Promise<PlanReport> {
  const { asked, config, record, display, signal } = planning;
  const own = record === null ? routingOf(config) : await record.currentRouting();
  const tiers = freeTiersBeside(config, own);
  const isBare = own.providers.length === 0;
  const routing = isBare ? routingOf(config.adding(new Set(tiers.map(({ id }) => id)))) : own;
  const measured = await measure(planning, routing);
  const batch = (await record?.store.findByIdentity(measured.identity)) ?? null;
  const nowMs = record?.clock.nowMs() ?? Date.now();
  const situation =
    record === null || isBare
      ? untouchedSituation(routing, nowMs)
      : await standingSituation(record.planning.reader, routing);
  const underPolicy = routingUnder(asked, routing);
  const terms = termsOf(asked.terms, batch, situation.nowMs);
  const forecast = await forecastInput(
    {
      ...(await openPlansHere()),
      tell: display.planning,
      signal,
    },
    {
      situation,
      measured,
      batchId:
        !isBare && batch !== null && standingOf(batch, situation.nowMs) === 'at-work' ? batch.id : null,
      terms,
      laneIdsOf: (name) => underPolicy.lanesOf(name).map(({ id }) => id),
      allLaneIds: laneIdsIn(underPolicy, ALL_POOL),
      candidates: candidatesOf(tiers, config, asked.policy),
      candidatesStandAlone: isBare,
    },
  );
  return {
    inputName: asked.name,
    forecast,
    basis: isBare ? 'catalog' : 'configuration',
    batch: batch === null ? null : knownBatch(batch, situation.nowMs),
    terms,
    hasBudget:
      asked.maxCostNanoDollars !== null ||
      (batch !== null && isGoingOn(batch) && batch.maxCostNanoDollars !== null),
    catalogOf: catalogProvider,
    hasPaidLane: routing.providers.some(({ tier }) => tier === 'paid'),
  };
}

/** What was said goes for a batch that is going on, too; the rest of what that goes by stays. */
function termsOf(wanted: WantedTerms, batch: Batch | null, nowMs: number): BatchTerms {
  const inForce =
    batch === null || !isGoingOn(batch) ? newTerms(wanted, nowMs) : termsAfter(batch, wanted, nowMs);
  return inForce.terms;
}

function isGoingOn({ state }: Batch): boolean {
  return state === 'in_progress';
}

function knownBatch(batch: Batch, nowMs: number): KnownBatch {
  const { id, name } = batch;
  return { id, name, linesDone: linesDone(batch), standing: standingOf(batch, nowMs) };
}

function standingOf(batch: Batch, nowMs: number): KnownBatch['standing'] {
  if (!isGoingOn(batch)) return 'over';
  if (batch.isPaused) return 'paused';
  return waitsForNightUntilMs(batch, nowMs) === null ? 'at-work' : 'outside-hours';
}

async function measure(
  { asked, config, display, signal }: Planning,
  routing: Routing,
): Promise<MeasuredInput> {
  await using input = await openInput(asked.input, tmpdir(), signal);
  using tokenizer = openTokenizer({ lingerMs: 0 });
  return await measureInput(
    {
      routing,
      readLines,
      tokenizer,
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
      knownNames: knownNamesBeside(config),
    },
    asked,
    input,
    { tell: display.reading, signal },
  );
}
