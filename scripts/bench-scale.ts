/**
 * Whether a large batch costs more per line than a small one: time and memory of batches of growing size, each as a ratio
 * to the smallest, on a provider that answers at once and has no limits.
 *
 *   node scripts/bench-scale.ts [--sizes 10000,100000,1000000] [--home servers|service|embedded] [--concurrency 64]
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asCount, asMebibytes, asRatio, table } from './bench/figures.ts';
import { type InstantProvider, startInstantProvider } from './bench/instant-provider.ts';
import { embeddedHome, type HomeKind, serversHome, serviceHome } from './bench/homes.ts';
import { measureRun } from './bench/nightshift-variants.ts';
import { wholeNumber } from './bench/options.ts';
import { type Measurement, spanMs } from './bench/variant.ts';

const HOMES: readonly HomeKind[] = [serversHome, serviceHome, embeddedHome];

/** How often the calls of a long run are told. */
const TELL_EVERY_MS = 10_000;

/** What is measured, from the command line. */
interface Plan {
  /** Lines per batch. Everything is a ratio to the first. */
  readonly sizes: readonly number[];
  readonly home: HomeKind;
  readonly concurrency: number;
}

/** One batch on a home of its own. */
interface Scaled {
  readonly measurement: Measurement;
  /** NaN where the queues are in PostgreSQL. */
  readonly redisPeakBytes: number;
}

/** A figure of a batch and how it is written. */
interface Figure {
  readonly title: string;
  readonly of: (scaled: Scaled) => number;
  readonly write: (value: number) => string;
}

const readPlan = (): Plan => {
  const { values } = parseArgs({
    options: {
      sizes: { type: 'string', default: '10000,100000,1000000' },
      home: { type: 'string', default: serversHome.id },
      concurrency: { type: 'string', default: '64' },
    },
  });
  const home = HOMES.find(({ id }) => id === values.home);
  if (home === undefined)
    throw new Error(
      `Expected --home to be one of ${HOMES.map(({ id }) => id).join(', ')}, got ${values.home}.`,
    );
  return {
    sizes: values.sizes.split(',').map((text) => wholeNumber('sizes', text)),
    home,
    concurrency: wholeNumber('concurrency', values.concurrency),
  };
};

const measureSize = async (
  { home: kind, concurrency }: Plan,
  provider: InstantProvider,
  lines: number,
  directory: string,
): Promise<Scaled> => {
  await mkdir(directory);
  const setting = { provider, concurrency, directory };
  await using home = await kind.open(setting);
  const stopTelling = tellProgress(provider, lines);
  try {
    const measurement = await measureRun(setting, home, lines);
    return { measurement, redisPeakBytes: (await home.redis?.usedMemoryPeakBytes()) ?? Number.NaN };
  } finally {
    stopTelling();
  }
};

/** Says from time to time how far the calls are, until it is told to stop. */
const tellProgress = (provider: InstantProvider, lines: number): (() => void) => {
  const startedAtMs = performance.now();
  const tell = async (): Promise<void> => {
    const { calls } = await provider.span();
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    console.error(`${asCount(lines)} lines, ${seconds} s: ${asCount(calls)} calls`);
  };
  const timer = setInterval(() => void tell().catch(() => {}), TELL_EVERY_MS);
  return () => clearInterval(timer);
};

/** Microseconds per line of a part of the batch's time. */
const perLine =
  (partMs: (measurement: Measurement) => number) =>
  ({ measurement }: Scaled): number =>
    (partMs(measurement) * 1_000) / measurement.lines;

const TIMES: readonly Figure[] = [
  {
    title: 'ingest',
    of: perLine(({ startedAtMs, firstCallAtMs }) => firstCallAtMs - startedAtMs),
    write: asCount,
  },
  { title: 'calls', of: perLine(spanMs), write: asCount },
  {
    title: 'output',
    of: perLine(({ endedAtMs, lastAnswerAtMs }) => endedAtMs - lastAnswerAtMs),
    write: asCount,
  },
  {
    title: 'together',
    of: perLine(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs),
    write: asCount,
  },
];

const memoryFigures = (all: readonly Scaled[]): readonly Figure[] => [
  ...(all[0]?.measurement.usages ?? []).map(({ name }, index): Figure => ({
    title: name,
    of: ({ measurement }) => measurement.usages[index]?.peakBytes ?? Number.NaN,
    write: asMebibytes,
  })),
  { title: 'Redis used_memory_peak', of: ({ redisPeakBytes }) => redisPeakBytes, write: asMebibytes },
];

const print = (all: readonly Scaled[], figures: readonly Figure[]): void => {
  const [first] = all;
  if (first === undefined) return;
  const rows = all.map((scaled) => [
    asCount(scaled.measurement.lines),
    ...figures.map(({ of, write }) => {
      const value = of(scaled);
      return Number.isFinite(value) ? `${write(value)} (${asRatio(value / of(first))})` : '-';
    }),
  ]);
  console.log(table(['lines', ...figures.map(({ title }) => title)], rows));
};

const main = async (): Promise<void> => {
  const plan = readPlan();
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-'));
  try {
    await using provider = await startInstantProvider();
    const all: Scaled[] = [];
    for (const [index, lines] of plan.sizes.entries()) {
      const own = join(directory, String(index));
      all.push(await measureSize(plan, provider, lines, own));
      await rm(own, { recursive: true, force: true });
      console.log(`\n${plan.home.title}, concurrency ${plan.concurrency}, microseconds per line`);
      print(all, TIMES);
      console.log('\nmost memory');
      print(all, memoryFigures(all));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

await main();
