/**
 * Whole nights on a compressed clock: the least possible time by a linear programme with perfect knowledge, Nightshift end to
 * end, and a pull loop per lane as a good engineer writes it in an afternoon. All in one run, on simulated free tiers.
 *
 *   npm run bench:night -- [--shape mixed,token-bound,...|all] [--seeds 1,2,3,4,5] [--rate 30] [--home embedded|redis]
 *     [--only ours,pull,least] [--scale 0.25] [--faultless] [--practised] [--night FILE.json] [--write-night FILE.json] [--keep DIR] [--json]
 *
 * A night with a deadline is run with it; its ratio is of the documents that were done by then.
 *
 * At a rate of 30 a mixed night of three hours takes some 7 minutes for Nightshift and twice that for the pull loop. What delays
 * a call by 40 ms then delays it by more than a second of the night, the margin of a minute's window: the machine must be
 * quiet ("machine late by" tells), or the rate lower.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { positiveNumber, unknownName } from './bench/options.ts';
import { chosenNights, NIGHT_OPTIONS } from './night/chosen-nights.ts';
import { openLeastPossible } from './night/least-possible.ts';
import type { Night } from './night/night.ts';
import { writeNight } from './night/night-file.ts';
import { NIGHT_HOMES, type NightHomeName } from './night/run/home.ts';
import { closingReport, nightReport } from './night/run/report.ts';
import { type ContenderName, CONTENDERS, type NightResult, runNight } from './night/run/run-night.ts';

/** Above this the margins of a minute's window are shorter than a busy machine's delays. */
const FASTEST_RATE = 60;

/** What is run, from the command line. */
interface Plan {
  readonly nights: readonly Night[];
  readonly contenders: readonly ContenderName[];
  readonly rate: number;
  readonly home: NightHomeName;
  /** Whether Nightshift has made a few calls on every lane before, as on any night but the first. */
  readonly isPractised: boolean;
  /** Where the first night is written instead of being run. */
  readonly writeTo: string | null;
  /** Where everything about the runs is left; `null`: nowhere. */
  readonly keepIn: string | null;
  readonly isJson: boolean;
}

const readPlan = async (): Promise<Plan> => {
  const { values } = parseArgs({
    options: {
      ...NIGHT_OPTIONS,
      rate: { type: 'string', default: '30' },
      home: { type: 'string', default: 'embedded' },
      only: { type: 'string', default: 'least,ours,pull' },
      'write-night': { type: 'string' },
      keep: { type: 'string' },
      practised: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const rate = positiveNumber('rate', values.rate);
  if (rate > FASTEST_RATE)
    throw new Error(`Expected --rate to be at most ${FASTEST_RATE}, got ${values.rate}.`);
  return {
    nights: await chosenNights(values),
    contenders: contendersOf(values.only),
    rate,
    home: homeOf(values.home),
    isPractised: values.practised,
    writeTo: values['write-night'] ?? null,
    keepIn: values.keep ?? null,
    isJson: values.json,
  };
};

/** The least possible is always there, for the ratios. */
const contendersOf = (text: string): readonly ContenderName[] => {
  const names = text.split(',');
  const known = [...Object.keys(CONTENDERS), 'least'];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName('only', known, unknown);
  return (['ours', 'pull'] as const).filter((name) => names.includes(name));
};

const homeOf = (text: string): NightHomeName => {
  const home = NIGHT_HOMES.find((name) => name === text);
  if (home === undefined) throw unknownName('home', NIGHT_HOMES, text);
  return home;
};

/** Aborts when somebody asks the bench to end; the second time it ends at once. */
const watchSignals = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      console.error('ending: processes are stopped and files removed (again: at once)');
      controller.abort(new Error('interrupted'));
    });
  return controller.signal;
};

const main = async (): Promise<void> => {
  const plan = await readPlan();
  const [first] = plan.nights;
  if (plan.writeTo !== null && first !== undefined) {
    await writeFile(plan.writeTo, writeNight(first));
    return;
  }
  const signal = watchSignals();
  const isKept = plan.keepIn !== null;
  const directory = plan.keepIn ?? (await mkdtemp(join(tmpdir(), 'nightshift-night-')));
  const results: NightResult[] = [];
  try {
    const solver = await openLeastPossible();
    for (const [index, night] of plan.nights.entries()) {
      const own = join(directory, `${index + 1}-${night.shape}-${night.seed}`);
      await mkdir(own, { recursive: true });
      const result = await runNight(night, { ...plan, solver, signal, directory: own, isKept });
      results.push(result);
      if (!plan.isJson) console.log(nightReport(result));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    if (!isKept) await rm(directory, { recursive: true, force: true });
  }
  if (plan.isJson) console.log(JSON.stringify(results, null, 2));
  else if (results.length > 0) console.log(closingReport(results));
};

await main();
