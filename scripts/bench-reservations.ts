/**
 * What a reservation costs: grants per second through the ledger, from 1, 4 and 8 processes on one lane and on twenty, as
 * ratios to bare round trips (`SELECT 1`, prepared) by the same processes on the same connections in the same run.
 *
 *   node scripts/bench-reservations.ts [--rounds 3] [--seconds 2] [--processes 1,4,8] [--grants 1] [--json]
 *
 * One reservation is one `grant_requests` for one request, a transaction of its own as the dispatcher makes it: the lane's
 * four windows (requests and tokens, a minute and a day) and its calls at once are locked and what has ended in them is
 * settled, pauses, closings and free slots are looked up, the best-fitting of 20,000 pending requests is found and claimed, a
 * grant and its five uses are written. Its commit does not wait for the disk, as in real life. It includes a share of
 * giving back, 32 grants in one transaction. The dispatcher takes many grants in one go where it can, which `--grants 16`
 * shows; by ones is the dear way. Each process has one connection and waits for each answer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asCount, asRatio, median, table } from './bench/figures.ts';
import { positiveNumber, wholeNumber } from './bench/options.ts';
import { prepareRecord } from './bench/reservation-record.ts';
import { type Reserver, startReserver, type Turn } from './bench/reserver.ts';
import { startPostgres } from './bench/servers.ts';

/** On how many lanes the processes reserve; 0 are bare round trips. */
const LANE_COUNTS = [0, 1, 20] as const;
const MOST_LANES = Math.max(...LANE_COUNTS);

/** What is measured, from the command line. */
interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly processCounts: readonly number[];
  readonly grantsAtOnce: number;
  readonly isJson: boolean;
}

/** So many processes on so many lanes: how often a second, round by round. */
interface Series {
  readonly processes: number;
  readonly lanes: number;
  readonly perSecond: number[];
}

/** A series against the bare round trips of the same processes. */
interface Result {
  readonly processes: number;
  readonly lanes: number;
  /** The median of the rounds. */
  readonly perSecond: number;
  readonly bareRoundTripsPerSecond: number;
  /** The median of the ratios round by round, since a machine is not equally fast at all times. */
  readonly ratio: number;
}

const readPlan = (): Plan => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      processes: { type: 'string', default: '1,4,8' },
      grants: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    rounds: wholeNumber('rounds', values.rounds),
    seconds: positiveNumber('seconds', values.seconds),
    processCounts: values.processes.split(',').map((text) => wholeNumber('processes', text)),
    grantsAtOnce: wholeNumber('grants', values.grants),
    isJson: values.json,
  };
};

/** How often a second all of them together. */
const measure = async (reservers: readonly Reserver[], turn: Turn): Promise<number> => {
  const all = await Promise.all(reservers.map((reserver) => reserver.work(turn)));
  return all.reduce((sum, { count, elapsedMs }) => sum + (count / elapsedMs) * 1_000, 0);
};

const WARM_UP_MS = 300;

const measureInTurns = async (plan: Plan, url: string): Promise<readonly Series[]> => {
  await using stack = new AsyncDisposableStack();
  const { lanes } = stack.use(await prepareRecord(url, MOST_LANES));
  const reservers: Reserver[] = [];
  while (reservers.length < Math.max(...plan.processCounts))
    reservers.push(stack.use(await startReserver(url)));
  const { grantsAtOnce } = plan;
  await measure(reservers, { lanes, grantsAtOnce, durationMs: WARM_UP_MS });
  const all = plan.processCounts.flatMap((processes) =>
    LANE_COUNTS.map((count): Series => ({ processes, lanes: count, perSecond: [] })),
  );
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const series of all) {
      const turn = { lanes: lanes.slice(0, series.lanes), grantsAtOnce, durationMs: plan.seconds * 1_000 };
      const perSecond = await measure(reservers.slice(0, series.processes), turn);
      series.perSecond.push(perSecond);
      console.error(`round ${round}: ${titleOf(series)}, ${asCount(perSecond)}/s`);
    }
  }
  return all;
};

const titleOf = ({ processes, lanes }: Pick<Series, 'processes' | 'lanes'>): string => {
  const work = lanes === 0 ? 'bare round trips' : lanes === 1 ? 'one lane' : `${lanes} lanes`;
  return `${processes === 1 ? '1 process' : `${processes} processes`}, ${work}`;
};

const resultsOf = (all: readonly Series[]): readonly Result[] =>
  all
    .filter(({ lanes }) => lanes > 0)
    .map(({ processes, lanes, perSecond }) => {
      const bare = all.find((other) => other.lanes === 0 && other.processes === processes)?.perSecond ?? [];
      const ratios = perSecond.map((value, round) => value / (bare[round] ?? Number.NaN));
      return {
        processes,
        lanes,
        perSecond: median(perSecond),
        bareRoundTripsPerSecond: median(bare),
        ratio: median(ratios),
      };
    });

const print = (results: readonly Result[], { rounds, seconds, grantsAtOnce }: Plan): void => {
  const head = ['', 'reservations/s', 'bare round trips/s', 'ratio', 'us each, per process'];
  const rows = results.map((result) => [
    titleOf(result),
    asCount(result.perSecond),
    asCount(result.bareRoundTripsPerSecond),
    asRatio(result.ratio),
    asCount((1_000_000 * result.processes) / result.perSecond),
  ]);
  console.log(
    `\nMedians of ${rounds} rounds of ${seconds} s each; up to ${grantsAtOnce} in one transaction.\n\n${table(head, rows)}`,
  );
};

const main = async (): Promise<void> => {
  const plan = readPlan();
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-'));
  try {
    await using postgres = await startPostgres(join(directory, 'data'));
    const results = resultsOf(await measureInTurns(plan, postgres.url));
    if (plan.isJson) console.log(JSON.stringify({ ...plan, results }, null, 2));
    else print(results, plan);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

await main();
