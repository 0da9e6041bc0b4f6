/**
 * Risk test of the production home: a whole service, of which any process and any server may die at any moment, several
 * at a time. Every line gets one final line, no limit is exceeded, and no call is made again without a reason.
 *
 * `NIGHTSHIFT_LONG=1` takes 2,000 lines and 40 events.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeHome, openSharedServers } from '../homes/homes.ts';
import type { Servers } from '../homes/servers.ts';
import { requireExit } from './command.ts';
import { chatLine, customIdsOf, type FinalLine, ids, readFinalLines } from './lines.ts';
import { type ServiceProcess, startProcesses } from './processes.ts';
import { callCount, callsUnderWay, fixed, provider, refill, refusals, rolling } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const LINES_PER_BATCH = IS_LONG ? 1_000 : 225;
const EVENTS = IS_LONG ? 40 : 11;
const BETWEEN_EVENTS_MS = { least: 800, most: 2_400 };
/** A process that cannot start because a server is away is started again, as any supervisor does. */
const STARTS = 5;
/** The exit code where a line failed: four faults in a row are rare, and no fault of Nightshift's. */
const SOME_FAILED = 2;
const TRIES = 4;

/**
 * Long, because Nightshift allows for 2 % of it between the beginning of a call and its arrival, and processes that start
 * take the processor from those that call.
 */
const PER_MS = 20_000;
/** Just fewer than calls at once would let through, so that calls go on all the time and every limit is still reached. */
const AMOUNT = 90;
const CALLS_AT_ONCE = { latencyMs: 1_200, concurrency: 6 };

const tiers = () => [
  provider('rolls', { ...CALLS_AT_ONCE, limits: [rolling('requests', AMOUNT, PER_MS)] }),
  provider('refills', {
    ...CALLS_AT_ONCE,
    dialect: 'groq',
    limits: [refill('requests', AMOUNT, PER_MS), refill('tokens', AMOUNT * 100, PER_MS)],
  }),
  provider('fixes', {
    ...CALLS_AT_ONCE,
    dialect: 'mistral',
    limits: [fixed('requests', AMOUNT, PER_MS)],
  }),
];

/** Something that may happen at any moment. */
interface Event {
  readonly what: string;
  /** Events of one resource follow each other. */
  readonly resource: string;
  /** Whether calls under way may be made again. */
  readonly cutsCalls: boolean;
  /** Resolves when everything is there again. */
  readonly happen: () => Promise<void>;
}

/** An event that happened. */
interface Happened {
  readonly what: string;
  readonly cutsCalls: boolean;
  readonly fromMs: number;
  readonly untilMs: number;
}

const serverEvents = (servers: Servers): readonly Event[] => [
  {
    what: 'restart of PostgreSQL',
    resource: 'PostgreSQL',
    cutsCalls: true,
    happen: () => servers.restartPostgres(),
  },
  { what: 'restart of Redis', resource: 'Redis', cutsCalls: false, happen: () => servers.restartRedis() },
  { what: 'FLUSHALL', resource: 'Redis', cutsCalls: false, happen: () => servers.flushRedis() },
];

const killOf = (victim: ServiceProcess): Event => ({
  what: `kill of ${victim.name}`,
  resource: victim.name,
  cutsCalls: victim.name.startsWith('worker'),
  async happen() {
    const { signal, stderr } = await victim.kill();
    if (signal !== 'SIGKILL') {
      throw new Error(
        `Expected ${victim.name} to outlive all that happened, but it ended. It said:\n${stderr}`,
      );
    }
    await startAgain(victim);
  },
});

const startAgain = async (victim: ServiceProcess): Promise<void> => {
  for (let start = 1; ; start += 1) {
    try {
      await victim.restart();
      return;
    } catch (error) {
      if (start === STARTS) throw error;
      await delay(500);
    }
  }
};

/** Each event once, in any order, before any comes again. */
const drawEvents = (events: readonly Event[]): readonly Event[] =>
  Array.from({ length: Math.ceil(EVENTS / events.length) }, () =>
    events
      .map((event) => ({ event, place: Math.random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ event }) => event),
  )
    .flat()
    .slice(0, EVENTS);

/** Lets them happen one soon after the other, without waiting for what the one before broke. */
const letHappen = async (events: readonly Event[]): Promise<readonly Happened[]> => {
  const resources = new Map<string, Promise<Happened>>();
  const happened: Promise<Happened>[] = [];
  for (const event of events) {
    const before = resources.get(event.resource);
    const now = (async () => {
      await before;
      const fromMs = Date.now();
      await event.happen();
      return { what: event.what, cutsCalls: event.cutsCalls, fromMs, untilMs: Date.now() };
    })();
    // It is awaited below; until then a failure is nobody's yet.
    now.catch(() => {});
    resources.set(event.resource, now);
    happened.push(now);
    const { least, most } = BETWEEN_EVENTS_MS;
    await delay(least + Math.random() * (most - least));
  }
  return await Promise.all(happened);
};

/** A worker's calls end with it; while PostgreSQL is away no answer is stored. */
const mostCallsAgain = (stage: Stage, happened: readonly Happened[]): number =>
  happened
    .filter(({ cutsCalls }) => cutsCalls)
    .map(({ what, fromMs, untilMs }) =>
      callsUnderWay(stage.simulator, fromMs, what.startsWith('kill') ? fromMs : untilMs),
    )
    .reduce((sum, count) => sum + count, 0);

interface Submitted {
  readonly batch: string;
  readonly names: readonly string[];
}

const submitTo = async (stage: Stage, api: ServiceProcess, prefix: string): Promise<Submitted> => {
  const names = ids(LINES_PER_BATCH, prefix);
  const input = await stage.write(
    `${prefix}.jsonl`,
    names.map((name) => chatLine(name)),
  );
  const submitted = await stage.run(['submit', input, '--json', '--url', api.url()]);
  requireExit(submitted, 0);
  const { id } = z.object({ id: z.number() }).parse(JSON.parse(submitted.stdout));
  return { batch: String(id), names };
};

const eventsIn = (happened: readonly Happened[], startedAtMs: number): readonly string[] =>
  happened.map(
    ({ what, fromMs, untilMs }) =>
      `${inSeconds(fromMs - startedAtMs)}  ${what}, there again after ${untilMs - fromMs} ms`,
  );

/** The limits that refused calls, and when. */
const refusalsIn = ({ simulator }: Stage, startedAtMs: number): readonly string[] =>
  simulator
    .calls()
    .flatMap(({ outcome, provider: providerId, arrivedAtMs }) =>
      outcome.kind === 'rejected'
        ? [`${inSeconds(arrivedAtMs - startedAtMs)}  ${providerId} refused a call: ${outcome.limit}`]
        : [],
    );

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;

/** All final lines of a batch once it is over, those of the output first. */
const finalLinesOf = async (
  stage: Stage,
  api: ServiceProcess,
  batch: string,
): Promise<readonly FinalLine[]> => {
  const output = stage.path(`${batch}.out.jsonl`);
  for (const args of [
    ['watch', batch, '--quiet'],
    ['results', batch, '--out', output],
  ]) {
    const { code, stderr } = await stage.run([...args, '--url', api.url()]);
    if (code !== SOME_FAILED) requireExit({ code, stderr }, 0);
  }
  return [
    ...(await readFinalLines(output)),
    ...(await readFinalLines(stage.path(`${batch}.out.errors.jsonl`))),
  ];
};

const attemptsOf = (lines: readonly FinalLine[], outcome: string): number =>
  lines.flatMap((line) => line.nightshift.attempts).filter((attempt) => attempt.outcome === outcome).length;

describeHome('redis', () => {
  test(
    `${EVENTS} kills, restarts and losses of everything lose no line, finish none twice and exceed no limit`,
    { timeout: 600_000 },
    async () => {
      await using stage = await setStage({
        home: 'redis',
        tiers: tiers(),
        faults: [{ provider: '*', kind: 'http-500', probability: 0.05 }],
      });
      const servers = await openSharedServers();
      const processes = await startProcesses(stage, { counts: { api: 2, dispatcher: 2, worker: 4 } });
      const [left, right] = processes.filter(({ name }) => name.startsWith('api'));
      if (left === undefined || right === undefined) throw new Error('Expected two apis, got fewer.');
      const batches = await Promise.all([submitTo(stage, left, 'left-'), submitTo(stage, right, 'right-')]);

      const startedAtMs = Date.now();
      const happened = await letHappen(drawEvents([...processes.map(killOf), ...serverEvents(servers)]));
      const callsMeanwhile = callCount(stage.simulator);
      // Each is asked of the other.
      const lines = [
        ...(await finalLinesOf(stage, right, batches[0].batch)),
        ...(await finalLinesOf(stage, left, batches[1].batch)),
      ];

      const names = batches.flatMap((batch) => batch.names);
      const faults = stage.simulator.calls().filter(({ fault }) => fault !== null).length;
      const mostAgain = mostCallsAgain(stage, happened);
      const calls = callCount(stage.simulator);
      console.log(
        [
          ...eventsIn(happened, startedAtMs),
          ...refusalsIn(stage, startedAtMs),
          `${names.length} lines in ${inSeconds(Date.now() - startedAtMs)}; ${calls} calls, ${callsMeanwhile} of them until the last event; ` +
            `${faults} faults, ${attemptsOf(lines, 'lost')} attempts lost of at most ${mostAgain}; ${refusals(stage.simulator)} refused`,
        ].join('\n'),
      );
      expect(lines).toHaveLength(names.length);
      expect(new Set(customIdsOf(lines))).toEqual(new Set(names));
      // Whatever failed, the providers did it.
      expect(lines.filter((line) => line.error !== null && attemptsOf([line], 'sick') < TRIES)).toEqual([]);
      expect(refusals(stage.simulator)).toBe(0);
      expect(calls).toBeLessThanOrEqual(names.length + faults + mostAgain);
      expect(callsMeanwhile).toBeLessThan(names.length);
      for (const process of processes) requireExit(await process.kill('SIGTERM'), 0);
    },
  );
});
