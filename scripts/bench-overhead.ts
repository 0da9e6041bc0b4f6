/**
 * What a call costs besides its provider: Nightshift against a bare loop of the `openai` SDK, and against BullMQ jobs
 * without a record, side by side in one run, on a provider that answers at once and has no limits.
 *
 *   node scripts/bench-overhead.ts [--lines 10000] [--rounds 3] [--concurrency 16,64] [--variants bare,queue,embedded,servers,service]
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asCount, asMebibytes, asRatio, median, table } from './bench/figures.ts';
import { type InstantProvider, startInstantProvider } from './bench/instant-provider.ts';
import { embeddedHome, serversHome, serviceHome } from './bench/homes.ts';
import { nightshiftOn } from './bench/nightshift-variants.ts';
import { wholeNumber } from './bench/options.ts';
import { bareLoop, bareQueue } from './bench/plain-variants.ts';
import { type Measurement, type RunningVariant, spanMs, type Variant } from './bench/variant.ts';

const VARIANTS: readonly Variant[] = [
  bareLoop,
  bareQueue,
  nightshiftOn(embeddedHome),
  nightshiftOn(serversHome),
  nightshiftOn(serviceHome),
];

/** The service makes the same calls as `run` on its servers, so it is measured on request. */
const USUAL_VARIANTS = VARIANTS.filter(({ id }) => id !== serviceHome.id);

/** What is measured, from the command line. */
interface Plan {
  readonly lines: number;
  readonly rounds: number;
  readonly concurrencies: readonly number[];
  /** The bare loop first: everything is a ratio to it. */
  readonly variants: readonly Variant[];
}

/** One variant's rounds. */
interface Series {
  readonly variant: Variant;
  readonly measurements: readonly Measurement[];
}

const readPlan = (): Plan => {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '3' },
      concurrency: { type: 'string', default: '16,64' },
      variants: { type: 'string', default: USUAL_VARIANTS.map(({ id }) => id).join(',') },
    },
  });
  const wanted = new Set(values.variants.split(','));
  for (const id of wanted) {
    if (!VARIANTS.some((variant) => variant.id === id))
      throw new Error(
        `Expected --variants to name ${VARIANTS.map((variant) => variant.id).join(', ')}, got ${id}.`,
      );
  }
  return {
    lines: wholeNumber('lines', values.lines),
    rounds: wholeNumber('rounds', values.rounds),
    concurrencies: values.concurrency.split(',').map((text) => wholeNumber('concurrency', text)),
    variants: VARIANTS.filter((variant) => variant === bareLoop || wanted.has(variant.id)),
  };
};

/** All variants at one concurrency, in turns. */
const measureInTurns = async (
  plan: Plan,
  provider: InstantProvider,
  concurrency: number,
  directory: string,
): Promise<readonly Series[]> => {
  await using stack = new AsyncDisposableStack();
  const running: { variant: Variant; started: RunningVariant; measurements: Measurement[] }[] = [];
  for (const variant of plan.variants) {
    const own = join(directory, `${variant.id}-${concurrency}`);
    await mkdir(own);
    const started = stack.use(await variant.start({ provider, concurrency, directory: own }));
    running.push({ variant, started, measurements: [] });
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const { variant, started, measurements } of running) {
      const measurement = await started.measure(plan.lines);
      measurements.push(measurement);
      console.error(
        `concurrency ${concurrency}, round ${round}: ${variant.title}, ${asCount(callsPerSecond(measurement))} calls/s`,
      );
    }
  }
  return running;
};

const callsPerSecond = (measurement: Measurement): number =>
  (measurement.lines / spanMs(measurement)) * 1_000;

const printSpeeds = (all: readonly Series[]): void => {
  const bare = all[0]?.measurements ?? [];
  const rows = all.map(({ variant, measurements }) => {
    const speeds = measurements.map(callsPerSecond);
    // Round by round, since a machine is not equally fast at all times.
    const ratios = measurements.map((measurement, round) => {
      const base = bare[round];
      return base === undefined ? Number.NaN : spanMs(base) / spanMs(measurement);
    });
    const grantToCall = measurements.flatMap((measurement) => measurement.grantToCall ?? []);
    return [
      variant.title,
      asCount(median(speeds)),
      asRatio(median(ratios)),
      asCount(1_000_000 / median(speeds)),
      asCount(median(measurements.map(cpuMicrosecondsPerCall))),
      asCount(median(grantToCall.map(({ p50Ms }) => p50Ms))),
      asCount(median(grantToCall.map(({ p99Ms }) => p99Ms))),
    ];
  });
  const head = ['', 'calls/s', 'ratio', 'us/call', 'CPU us/call', 'grant to call p50 ms', 'p99 ms'];
  console.log(table(head, rows));
};

const cpuMicrosecondsPerCall = ({ usages, lines }: Measurement): number =>
  usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0) * (1_000 / lines);

const printProcesses = (all: readonly Series[]): void => {
  const rows = all.flatMap(({ variant, measurements }) =>
    (measurements[0]?.usages ?? []).map(({ name }, index) => {
      const usages = measurements.flatMap(({ usages: round }) => round[index] ?? []);
      const lines = measurements[0]?.lines ?? Number.NaN;
      return [
        `${variant.title}: ${name}`,
        asMebibytes(Math.max(...usages.map(({ peakBytes }) => peakBytes))),
        asMebibytes(median(usages.map(({ meanBytes }) => meanBytes))),
        asCount((median(usages.map(({ cpuMs }) => cpuMs)) * 1_000) / lines),
      ];
    }),
  );
  console.log(table(['process', 'peak memory', 'mean', 'CPU us/call'], rows));
};

const main = async (): Promise<void> => {
  const plan = readPlan();
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-'));
  try {
    await using provider = await startInstantProvider();
    for (const concurrency of plan.concurrencies) {
      const all = await measureInTurns(plan, provider, concurrency, directory);
      console.log(
        `\nconcurrency ${concurrency}, ${asCount(plan.lines)} lines, medians of the rounds (${plan.rounds})`,
      );
      printSpeeds(all);
      console.log();
      printProcesses(all);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

await main();
