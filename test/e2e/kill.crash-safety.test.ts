/** Risk test: whatever is killed at whatever moment, no line is lost, none is final twice, and no call is wasted. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeHome, describeHomes, type HomeName } from '../homes/homes.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, callsUnderWay, provider, refusals, rolling, until } from './providers.ts';
import { requireExit } from './command.ts';
import { startService } from './processes.ts';
import { setStage, type Stage } from './stage.ts';
import { embeddedPostmasterPid } from './stage-home.ts';

/** A long run kills in a larger night, at moments spread wider. */
const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const LINES = IS_LONG ? 2_000 : 300;
/** What a kill leaves behind is in the record and the queues alike; half as many show it for queues that are kept elsewhere. */
const KILLS: Readonly<Record<HomeName, number>> = { embedded: 10, redis: 5 };

const slowTiers = () => [
  provider('steady', {
    latencyMs: 400,
    concurrency: 8,
    limits: [rolling('requests', IS_LONG ? 60 : 16, 1_000)],
  }),
  provider('quick', {
    latencyMs: 60,
    concurrency: 4,
    limits: [rolling('requests', IS_LONG ? 60 : 16, 1_000)],
  }),
];

/** On a busy machine a start takes some seconds. What takes so long waits for something that does not come, as a grant of the dead for its end. */
const HANGS_AFTER_MS = 20_000;

/** Calls at once of {@link slowTiers}. */
const MOST_AT_ONCE = 12;

const firstCallAfter = async (stage: Stage, callsBefore: number): Promise<number> => {
  await until('a first call', () => callCount(stage.simulator) > callsBefore);
  return Date.now();
};

/** The longest time without a call from an instant to the last call. */
const longestPauseMs = (stage: Stage, fromMs: number): number => {
  const instants = [fromMs, ...stage.simulator.calls().map((call) => call.arrivedAtMs)]
    .filter((atMs) => atMs >= fromMs)
    .toSorted((a, b) => a - b);
  return Math.round(Math.max(...instants.map((atMs, index) => atMs - (instants[index - 1] ?? atMs))));
};

describeHomes((home) => {
  const kills = KILLS[home];

  test(
    `A run that is killed ${kills} times at random moments loses no line, finishes none twice and wastes no other call`,
    { timeout: 600_000 },
    async () => {
      await using stage = await setStage({ home, tiers: slowTiers(), holdsServer: false });
      const names = ids(LINES);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name)),
      );
      const output = stage.path('out.jsonl');
      const args = ['run', input, '--out', output];
      const killInstants: number[] = [];
      const secondsToWork: number[] = [];

      for (let kill = 0; kill < kills; kill += 1) {
        const before = callCount(stage.simulator);
        const command = stage.start(args);
        secondsToWork.push(((await firstCallAfter(stage, before)) - command.startedAtMs) / 1_000);
        await delay(Math.random() * (IS_LONG ? 3_000 : 1_200));
        command.kill('SIGKILL');
        const { signal } = await command.ended;
        killInstants.push(Date.now());
        expect(signal).toBe('SIGKILL');
      }
      const lastStartedAtMs = Date.now();
      const last = await stage.run(args);
      const pauseMs = longestPauseMs(stage, lastStartedAtMs);

      requireExit(last, 0);
      expect(customIdsOf(await readFinalLines(output))).toEqual(names);
      const inFlightAtKills = killInstants.reduce(
        (sum, killedAtMs) => sum + callsUnderWay(stage.simulator, killedAtMs),
        0,
      );
      console.log(
        `calls ${callCount(stage.simulator)} for ${LINES} lines, ${inFlightAtKills} in flight at the kills; ` +
          `to the first call ${secondsToWork.map((seconds) => seconds.toFixed(1)).join(' ')} s; last run ${last.durationMs} ms, longest pause in it ${pauseMs} ms`,
      );
      expect(callCount(stage.simulator)).toBeLessThanOrEqual(LINES + inFlightAtKills);
      expect(Math.max(...secondsToWork)).toBeLessThan(HANGS_AFTER_MS / 1_000);
      expect(pauseMs).toBeLessThan(HANGS_AFTER_MS);
      expect(refusals(stage.simulator)).toBe(0);
    },
  );

  test('Connections to PostgreSQL that are cut again and again cost no line and no run', async () => {
    await using stage = await setStage({ home, tiers: slowTiers() });
    const names = ids(120);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const output = stage.path('out.jsonl');

    const command = stage.start(['run', input, '--out', output]);
    await until('ten calls', () => callCount(stage.simulator) >= 10);
    for (let cut = 0; cut < 5; cut += 1) {
      await stage.ask(
        `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
       WHERE application_name IN ('nightshift', 'nightshift-queues') AND pid <> pg_backend_pid()`,
      );
      await delay(400);
    }
    const { code, stderr, durationMs } = await command.ended;

    requireExit({ code, stderr }, 0);
    expect(customIdsOf(await readFinalLines(output))).toEqual(names);
    console.log(`${durationMs} ms, ${callCount(stage.simulator)} calls for ${names.length} lines`);
    expect(callCount(stage.simulator)).toBeLessThanOrEqual(names.length + 5 * MOST_AT_ONCE);
  });
});

describeHome('embedded', () => {
  test.each([
    { victim: 'PostgreSQL', pidOf: async (stage: Stage) => await embeddedPostmasterPid(stage.dataDirectory) },
    {
      victim: 'one backend of PostgreSQL',
      pidOf: async (stage: Stage) =>
        Number(
          await stage.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'nightshift' LIMIT 1"),
        ),
    },
  ])(
    'After a kill -9 of $victim the run ends with a clear message, and the next run loses no line',
    async ({ pidOf }) => {
      await using stage = await setStage({ home: 'embedded', tiers: slowTiers(), holdsServer: false });
      const names = ids(100);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name)),
      );
      const output = stage.path('out.jsonl');
      const args = ['run', input, '--out', output];

      const command = stage.start(args);
      await until('twenty calls', () => callCount(stage.simulator) >= 20);
      const pid = await pidOf(stage);
      const killedAtMs = Date.now();
      process.kill(pid, 'SIGKILL');
      const first = await command.ended;
      requireExit(first, 1);
      expect(first.stderr).toMatch(/PostgreSQL.*went away/u);
      expect(Date.now() - killedAtMs).toBeLessThan(HANGS_AFTER_MS);
      const second = await stage.run(args);

      requireExit(second, 0);
      expect(customIdsOf(await readFinalLines(output))).toEqual(names);
      console.log(
        `calls ${callCount(stage.simulator)} for ${names.length} lines, ${callsUnderWay(stage.simulator, killedAtMs)} in flight at the kill`,
      );
      expect(callCount(stage.simulator)).toBeLessThanOrEqual(names.length + MOST_AT_ONCE);
    },
  );

  test('After a kill -9 of PostgreSQL a service with calls under way ends with a clear message, and the next one loses no line', async () => {
    await using stage = await setStage({ home: 'embedded', tiers: slowTiers(), holdsServer: false });
    const names = ids(100);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const output = stage.path('out.jsonl');

    const service = await startService(stage, { surroundings: { longestRunMs: 3 * HANGS_AFTER_MS } });
    requireExit(await stage.run(['submit', input]), 0);
    await until('twenty calls', () => callCount(stage.simulator) >= 20);
    const pid = await embeddedPostmasterPid(stage.dataDirectory);
    const killedAtMs = Date.now();
    process.kill(pid, 'SIGKILL');
    const ended = await service.command().ended;

    requireExit(ended, 1);
    expect(ended.stderr).toMatch(/PostgreSQL.*went away.*Start the service again/u);
    expect(Date.now() - killedAtMs).toBeLessThan(HANGS_AFTER_MS);
    await startService(stage);
    requireExit(await stage.run(['run', input, '--out', output]), 0);
    expect(customIdsOf(await readFinalLines(output))).toEqual(names);
    expect(callCount(stage.simulator)).toBeLessThanOrEqual(names.length + MOST_AT_ONCE);
  });
});
