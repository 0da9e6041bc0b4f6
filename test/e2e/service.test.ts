/**
 * A service that stays up, and the commands that are its clients: whatever they ask, each line is called for once, and
 * nothing depends on the process that asked.
 */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findFreePort } from '../homes/free-port.ts';
import { describeHomes, type HomeName, isThorough } from '../homes/homes.ts';
import { type EndedCommand, requireExit } from './command.ts';
import { onCommonGround } from './ground.ts';
import {
  chatLine,
  customIdsOf,
  failedAttempts,
  type FinalLine,
  finalLinesIn,
  ids,
  readFinalLines,
} from './lines.ts';
import { type ServiceProcess, startService } from './processes.ts';
import { callCount, MODEL, provider, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const API_KEY_ENV = 'NIGHTSHIFT_E2E_KEY';
const API_KEY = 'a-key-of-the-service';
/** Only processes that make calls get it. */
const WITH_KEY = { environment: { [API_KEY_ENV]: API_KEY } };

const batchShape = z.object({
  id: z.number(),
  name: z.string(),
  state: z.string(),
  isPaused: z.boolean(),
  total: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  cancelled: z.number(),
});
const statusShape = z.object({
  progress: z.object({ batch: batchShape, underWay: z.number() }),
  laneIds: z.array(z.string()),
  warnings: z.array(z.string()),
});

/** So many that a command which takes its time on a busy machine finds them at work. */
const PAUSED_LINES = 40;
const PATIENT = { latencyMs: 300, concurrency: 4 };

const servedTiers = () => [
  provider('quick', { apiKey: API_KEY }),
  provider('slow', { apiKey: API_KEY, ...PATIENT }),
  provider('stuck', { apiKey: API_KEY, ...PATIENT }),
  provider('left', { apiKey: API_KEY, latencyMs: 50, concurrency: 2 }),
  provider('right', { apiKey: API_KEY, latencyMs: 50, concurrency: 2 }),
];

const POOLS = {
  quick: [`quick/${MODEL}`],
  slow: [`slow/${MODEL}`],
  stuck: [`stuck/${MODEL}`],
  left: [`left/${MODEL}`],
  both: [`left/${MODEL}`, `right/${MODEL}`],
};

/** Calls whose line's name begins so, ended or cut, in the order in which they ended. */
const callsOf = ({ simulator }: Stage, prefix: string) =>
  simulator.calls().filter(({ customId }) => customId?.startsWith(prefix));

const callsInFlightOf = ({ simulator }: Stage, providerId: string): number =>
  simulator.stats().providers[providerId]?.inFlight ?? 0;

const callCountOf = ({ simulator }: Stage, providerId: string): number =>
  simulator.stats().providers[providerId]?.calls ?? 0;

/** While `work` goes on the provider takes its time, so that no batch is over before a command has begun. */
const meanwhileSlow = async <T>(
  { simulator }: Stage,
  providerId: string,
  work: () => Promise<T>,
): Promise<T> => {
  simulator.setFaults([{ provider: providerId, kind: 'slow', latencyMs: 2_000 }]);
  try {
    return await work();
  } finally {
    simulator.setFaults([]);
  }
};

/** Writes an input of lines that are named by the prefix. */
const writeInput = async (stage: Stage, prefix: string, count: number): Promise<string> =>
  await stage.write(
    `${prefix}.jsonl`,
    ids(count, prefix).map((name) => chatLine(name)),
  );

/** Runs a command to exit 0. */
const done = async (stage: Stage, args: readonly string[]): Promise<EndedCommand> => {
  const ended = await stage.run(args);
  requireExit(ended, 0);
  return ended;
};

/** Lines named by a prefix, and where they may go. */
interface Work {
  readonly prefix: string;
  readonly count: number;
  readonly pool: string;
}

/** Submits an input of such lines and returns its batch's id, as commands take it. */
const submit = async (stage: Stage, { prefix, count, pool }: Work): Promise<string> => {
  const input = await writeInput(stage, prefix, count);
  const { stdout } = await done(stage, ['submit', input, '--pool', pool, '--json']);
  const { id, total } = batchShape.parse(JSON.parse(stdout));
  expect(total).toBe(count);
  return String(id);
};

const statusOf = async (stage: Stage, batch: string) =>
  statusShape.parse(JSON.parse((await done(stage, ['status', batch, '--json'])).stdout));

/** Every final line of a batch, in input order. */
const allResults = async (stage: Stage, batch: string): Promise<readonly FinalLine[]> =>
  finalLinesIn((await stage.run(['results', batch, '--order', 'input', '--only', 'all'])).stdout);

const workersOf = async (stage: Stage): Promise<unknown> =>
  await stage.ask("SELECT count(*)::integer FROM process WHERE 'worker' = ANY (roles)");

const RETRIES = [
  { where: 'on the lane that was mended', prefix: 'mended-', pool: null },
  { where: 'on another pool', prefix: 'moved-', pool: 'quick' },
];

const setPatientStage = async (home: HomeName): Promise<Stage> =>
  await setStage({ home, tiers: [provider('only', PATIENT)], holdsServer: false });

describeHomes((home) => {
  describe('With a service on the data directory', () => {
    let stage: Stage;
    let service: ServiceProcess;

    onCommonGround(async (ground) => {
      stage = ground.use(
        await setStage({
          home,
          tiers: servedTiers(),
          pools: POOLS,
          apiKeyEnv: API_KEY_ENV,
          holdsServer: false,
        }),
      );
      service = await startService(stage, { surroundings: WITH_KEY });
    });

    test.runIf(isThorough(home))(
      'A batch is submitted, listed, looked at and watched, and its results are there at any time',
      async () => {
        const names = ids(40, 'whole-');
        const batch = await submit(stage, { prefix: 'whole-', count: names.length, pool: 'slow' });
        await until('an answer', () => callsOf(stage, 'whole-').length > PATIENT.concurrency);

        const [early, status, listed] = await meanwhileSlow(stage, 'slow', () =>
          Promise.all([
            stage.run(['results', batch]),
            statusOf(stage, batch),
            done(stage, ['list', '--json']),
          ]),
        );
        const watched = await done(stage, ['watch', batch]);

        requireExit(early, 2);
        const earlyIds = customIdsOf(finalLinesIn(early.stdout));
        expect(earlyIds.length).toBeGreaterThan(0);
        expect(early.stderr).toMatch(/not over/u);
        expect(status.progress.batch).toMatchObject({ name: 'whole-', total: names.length, failed: 0 });
        expect(status.laneIds).toEqual(POOLS.slow);
        expect(status.warnings).toEqual([]);
        expect(
          z
            .array(batchShape)
            .parse(JSON.parse(listed.stdout))
            .map(({ id }) => String(id)),
        ).toContain(batch);
        expect(watched.stdout).toMatch(/completed: 40 of 40 lines done/u);
        const output = stage.path('whole.out.jsonl');
        await done(stage, ['results', batch, '--out', output]);
        expect(customIdsOf(await readFinalLines(output))).toEqual(names);
        const inOrder = await done(stage, ['results', 'whole-', '--order', 'input']);
        expect(customIdsOf(finalLinesIn(inOrder.stdout))).toEqual(names);
        const asCompleted = finalLinesIn((await done(stage, ['results', batch])).stdout);
        expect(asCompleted).toHaveLength(names.length);
        expect(new Set(customIdsOf(asCompleted))).toEqual(new Set(names));
        // What was there early is there in the same order.
        expect(customIdsOf(asCompleted).slice(0, earlyIds.length)).toEqual(earlyIds);
        // The same input again is the same batch.
        expect(await submit(stage, { prefix: 'whole-', count: names.length, pool: 'slow' })).toBe(batch);
        await done(stage, ['watch', batch, '--quiet']);
        expect(callsOf(stage, 'whole-')).toHaveLength(names.length);
      },
    );

    test('`run` is its client: without a key it makes no call, and writes its files as ever', async () => {
      const names = ids(30, 'client-');
      const input = await stage.write('client.jsonl', [
        ...names.map((name) => chatLine(name)),
        '{"custom_id": "broken", ',
      ]);
      const output = stage.path('client.out.jsonl');
      const args = ['run', input, '--out', output, '--errors', stage.path('client.err.jsonl')];

      const command = await meanwhileSlow(stage, 'slow', async () => {
        const started = stage.start([...args, '--pool', 'slow']);
        await until('partial results', async () => (await readFinalLines(`${output}.partial`)).length > 0);
        return started;
      });
      expect(await workersOf(stage)).toBe(1);
      const ended = await command.ended;

      requireExit(ended, 2);
      expect(ended.stderr).toContain(service.url());
      expect(customIdsOf(await readFinalLines(output))).toEqual(names);
      const refused = await readFinalLines(stage.path('client.err.jsonl'));
      expect(refused.map((line) => line.error?.code)).toEqual(['invalid_json_line']);
      expect(await readFinalLines(`${output}.partial`)).toEqual([]);
      expect(callsOf(stage, 'client-')).toHaveLength(names.length);
      requireExit(await stage.run([...args, '--pool', 'slow']), 2);
      expect(callsOf(stage, 'client-')).toHaveLength(names.length);
    });

    test.runIf(isThorough(home))(
      'Ctrl-C ends the client and not the batch, and the same command again writes the files',
      async () => {
        const names = ids(30, 'left-alone-');
        const input = await writeInput(stage, 'left-alone-', names.length);
        const args = ['run', input, '--out', stage.path('left-alone.out.jsonl'), '--pool', 'slow'];
        const command = stage.start(args);
        await until('a first answer', () => callsOf(stage, 'left-alone-').length > 0);

        command.kill('SIGINT');
        const interrupted = await command.ended;
        const callsThen = callsOf(stage, 'left-alone-').length;

        requireExit(interrupted, 130);
        expect(interrupted.stdout).toMatch(/service goes on/u);
        expect(callsThen).toBeLessThan(names.length);
        await until('every call', () => callsOf(stage, 'left-alone-').length === names.length);
        await done(stage, args);
        expect(customIdsOf(await readFinalLines(stage.path('left-alone.out.jsonl')))).toEqual(names);
        expect(callsOf(stage, 'left-alone-')).toHaveLength(names.length);
      },
    );

    test('`cancel` lets the calls under way end and explains every other line; `retry` takes those up', async () => {
      const names = ids(30, 'given-up-');
      const { batch, stdout } = await meanwhileSlow(stage, 'slow', async () => {
        const submitted = await submit(stage, { prefix: 'given-up-', count: names.length, pool: 'slow' });
        await until('calls under way', () => callsInFlightOf(stage, 'slow') === PATIENT.concurrency);
        return { batch: submitted, ...(await done(stage, ['cancel', submitted, '--json'])) };
      });
      expect(batchShape.parse(JSON.parse(stdout)).state).toMatch(/^cancel/u);
      const watched = await stage.run(['watch', batch, '--quiet', '--json']);

      requireExit(watched, 2);
      const { batch: cancelled } = statusShape.parse(JSON.parse(watched.stdout)).progress;
      const calls = callsOf(stage, 'given-up-');
      expect(calls.every(({ outcome }) => outcome.kind === 'succeeded')).toBe(true);
      expect(cancelled.succeeded).toBe(calls.length);
      expect(cancelled.cancelled).toBe(names.length - calls.length);
      const lines = await allResults(stage, batch);
      expect(customIdsOf(lines)).toEqual(names);
      expect(lines.filter((line) => line.error?.code === 'batch_cancelled')).toHaveLength(
        cancelled.cancelled,
      );

      await done(stage, ['retry', batch]);
      await done(stage, ['watch', batch, '--quiet']);
      const again = await allResults(stage, batch);
      expect(customIdsOf(again)).toEqual(names);
      expect(again.filter((line) => line.error !== null)).toEqual([]);
      expect(callsOf(stage, 'given-up-')).toHaveLength(names.length);
    });

    test('A paused batch gets no call while others do, and goes on when it is resumed', async () => {
      const batch = await meanwhileSlow(stage, 'slow', async () => {
        const submitted = await submit(stage, { prefix: 'paused-', count: PAUSED_LINES, pool: 'slow' });
        await until('a first answer', () => callsOf(stage, 'paused-').length > 0);
        await done(stage, ['pause', submitted]);
        return submitted;
      });
      await until('no call under way', () => callsInFlightOf(stage, 'slow') === 0);
      const callsThen = callCountOf(stage, 'slow');
      const other = await submit(stage, { prefix: 'meanwhile-', count: 10, pool: 'slow' });
      await done(stage, ['watch', other, '--quiet']);

      expect(callCountOf(stage, 'slow')).toBe(callsThen + 10);
      const callsOfPaused = callsOf(stage, 'paused-').length;
      expect(callsOfPaused).toBeLessThan(PAUSED_LINES);
      expect((await statusOf(stage, batch)).progress).toMatchObject({
        underWay: 0,
        batch: { isPaused: true, succeeded: callsOfPaused },
      });
      await done(stage, ['resume', batch]);
      await done(stage, ['watch', batch, '--quiet']);
      expect(callsOf(stage, 'paused-')).toHaveLength(PAUSED_LINES);
    });

    test.runIf(isThorough(home))(
      'A paused lane gets no call while another lane of the same pool does all',
      async () => {
        const lane = `left/${MODEL}`;
        await done(stage, ['pause', '--lane', lane]);
        const before = callCountOf(stage, 'left');
        const batch = await submit(stage, { prefix: 'one-sided-', count: 20, pool: 'both' });
        await done(stage, ['watch', batch, '--quiet']);
        const waiting = await submit(stage, { prefix: 'waits-', count: 5, pool: 'left' });

        expect(callCountOf(stage, 'left')).toBe(before);
        expect((await statusOf(stage, waiting)).warnings.join(' ')).toContain(lane);
        await done(stage, ['resume', '--lane', lane]);
        await done(stage, ['watch', waiting, '--quiet']);
        expect(failedAttempts(await allResults(stage, waiting))).toEqual([]);
        expect(callCountOf(stage, 'left')).toBe(before + 5);
      },
    );

    test.runIf(isThorough(home)).each(RETRIES)(
      '`retry` does the failed lines again, $where, and no other',
      async ({ prefix, pool }) => {
        stage.simulator.setFaults([{ provider: 'stuck', kind: 'truncated', afterCalls: 4, count: 3 }]);
        const batch = await submit(stage, { prefix, count: 12, pool: 'stuck' });
        requireExit(await stage.run(['watch', batch, '--quiet']), 2);
        const failed = (await statusOf(stage, batch)).progress.batch.failed;
        const before = callsOf(stage, prefix).length;

        await done(stage, ['retry', batch, ...(pool === null ? [] : ['--pool', pool])]);
        await done(stage, ['watch', batch, '--quiet']);

        expect(failed).toBe(3);
        expect(customIdsOf(await allResults(stage, batch))).toEqual(ids(12, prefix));
        const again = callsOf(stage, prefix).slice(before);
        expect(again.map((call) => call.provider)).toEqual(Array(failed).fill(pool ?? 'stuck'));
      },
    );
  });

  describe('With services that come and go', () => {
    test.runIf(isThorough(home))('What was submitted without a service runs when there is one', async () => {
      await using stage = await setPatientStage(home);
      const input = await writeInput(stage, 'early-', 8);
      const submitted = await done(stage, ['submit', input]);
      expect(submitted.stdout).toMatch(/nightshift up/u);
      expect(callCount(stage.simulator)).toBe(0);

      await startService(stage);
      await done(stage, ['watch', 'early-', '--quiet']);

      expect(customIdsOf(await allResults(stage, 'early-'))).toEqual(ids(8, 'early-'));
      expect(callCount(stage.simulator)).toBe(8);
    });

    test('SIGTERM ends it with exit code 0 after the calls under way, and the next one goes on', async () => {
      await using stage = await setPatientStage(home);
      const service = await startService(stage);
      const batch = await submit(stage, { prefix: 'termed-', count: 30, pool: 'small' });
      await until('calls under way', () => callsInFlightOf(stage, 'only') === PATIENT.concurrency);

      const ended = await service.kill('SIGTERM');
      const calls = callCount(stage.simulator);

      requireExit(ended, 0);
      expect(calls).toBeLessThan(30);
      expect(stage.simulator.calls().every(({ outcome }) => outcome.kind === 'succeeded')).toBe(true);
      expect(await allResults(stage, batch)).toHaveLength(calls);
      await service.restart();
      await done(stage, ['watch', batch, '--quiet']);
      expect(customIdsOf(await allResults(stage, batch))).toEqual(ids(30, 'termed-'));
      expect(callCount(stage.simulator)).toBe(30);
    });

    test.runIf(isThorough(home))(
      'A second service on the same data directory needs a port of its own, shares the work, and may leave',
      async () => {
        await using stage = await setPatientStage(home);
        const first = await startService(stage);
        const refused = await stage.run(['up', '--port', new URL(first.url()).port]);
        requireExit(refused, 1);
        expect(refused.stderr).toMatch(/[Ff]ree the port, or choose another/u);

        const second = await startService(stage);
        const batch = await submit(stage, { prefix: 'shared-', count: 40, pool: 'small' });
        await until('ten calls', () => callCount(stage.simulator) >= 10);
        expect(await workersOf(stage)).toBe(2);
        requireExit(await second.kill('SIGTERM'), 0);
        await done(stage, ['watch', batch, '--quiet']);

        expect(customIdsOf(await allResults(stage, batch))).toEqual(ids(40, 'shared-'));
        expect(callCount(stage.simulator)).toBe(40);
        requireExit(await first.kill('SIGTERM'), 0);
      },
    );

    test('A service that is killed while `run` and `watch` are its clients, and started again, costs them nothing but time', async () => {
      await using stage = await setPatientStage(home);
      const service = await startService(stage, { port: await findFreePort() });
      const names = ids(100, 'survives-');
      const input = await writeInput(stage, 'survives-', names.length);
      const output = stage.path('survives.out.jsonl');
      const command = stage.start(['run', input, '--out', output]);
      await until('partial results', async () => (await readFinalLines(`${output}.partial`)).length > 0);
      const watching = stage.start(['watch', '1']);
      await until('a first look', () => watching.stderr() !== '');

      await service.kill();
      for (const client of [command, watching]) {
        await until('the client to notice', () => client.stderr().includes('waiting for the service'));
      }
      await service.restart();

      for (const client of [command, watching]) requireExit(await client.ended, 0);
      expect(customIdsOf(await readFinalLines(output))).toEqual(names);
      expect(await workersOf(stage)).toBe(1);
      expect(callCount(stage.simulator)).toBeLessThanOrEqual(names.length + PATIENT.concurrency);
    });
  });
});
