/**
 * Risk test of the production home: its servers belong to others, who restart and lose them in the middle of a night. The
 * run waits for them and goes on; no line is lost and no run ends.
 */
import { expect, test } from 'vitest';
import { describeHome, openSharedServers } from '../homes/homes.ts';
import type { Servers } from '../homes/servers.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, provider, refusals, rolling, until } from './providers.ts';
import { requireExit } from './command.ts';
import { startService } from './processes.ts';
import { setStage, type Stage } from './stage.ts';

const LINES = 100;
/** Each happens twice: what a process must do again after the first time is done again after the second. */
const AFTER_CALLS = [20, 60];

/** Calls at once of {@link slowTiers}. */
const MOST_AT_ONCE = 12;

const slowTiers = () => [
  provider('steady', { latencyMs: 400, concurrency: 8, limits: [rolling('requests', 16, 1_000)] }),
  provider('quick', { latencyMs: 60, concurrency: 4, limits: [rolling('requests', 16, 1_000)] }),
];

interface Outage {
  readonly outage: string;
  readonly happen: (servers: Servers, stage: Stage) => Promise<void>;
  /** Calls that may be made again each time: those under way, where their answers may not reach the record. */
  readonly mostCallsAgain: number;
}

const OUTAGES: readonly Outage[] = [
  {
    outage: 'A restart of PostgreSQL',
    happen: (servers) => servers.restartPostgres(),
    mostCallsAgain: MOST_AT_ONCE,
  },
  {
    outage: 'A kill -9 and start of PostgreSQL',
    async happen(servers) {
      await servers.killPostgres();
      await servers.startPostgres();
    },
    mostCallsAgain: MOST_AT_ONCE,
  },
  {
    // Upon which the server cuts every connection, and recovers.
    outage: 'A kill -9 of one backend of PostgreSQL',
    async happen(_servers, stage) {
      process.kill(await backendPid(stage), 'SIGKILL');
    },
    mostCallsAgain: MOST_AT_ONCE,
  },
  {
    outage: 'A restart of Redis',
    happen: (servers) => servers.restartRedis(),
    mostCallsAgain: 0,
  },
  {
    outage: 'A kill -9 and start of Redis',
    async happen(servers) {
      await servers.killRedis();
      await servers.startRedis();
    },
    mostCallsAgain: 0,
  },
  {
    outage: 'A FLUSHALL of Redis',
    happen: (servers) => servers.flushRedis(),
    mostCallsAgain: 0,
  },
];

const backendPid = async (stage: Stage): Promise<number> =>
  Number(await stage.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'nightshift' LIMIT 1"));

describeHome('redis', () => {
  test.each(OUTAGES)(
    '$outage in the middle of a run costs no line and no run',
    async ({ outage, happen, mostCallsAgain }) => {
      await using stage = await setStage({ home: 'redis', tiers: slowTiers() });
      const servers = await openSharedServers();
      await servers.flushRedis();
      const names = ids(LINES);
      const input = await stage.write(
        'in.jsonl',
        names.map((name) => chatLine(name)),
      );
      const output = stage.path('out.jsonl');

      const command = stage.start(['run', input, '--out', output]);
      for (const calls of AFTER_CALLS) {
        await until(`call ${calls}`, () => callCount(stage.simulator) >= calls);
        // Else the night would not notice.
        expect(await servers.countRedisKeys()).toBeGreaterThan(0);
        await happen(servers, stage);
      }
      const ended = await command.ended;

      requireExit(ended, 0);
      expect(customIdsOf(await readFinalLines(output))).toEqual(names);
      console.log(
        `${outage}: ${ended.durationMs} ms, ${callCount(stage.simulator)} calls for ${LINES} lines`,
      );
      expect(callCount(stage.simulator)).toBeLessThanOrEqual(LINES + AFTER_CALLS.length * mostCallsAgain);
      expect(refusals(stage.simulator)).toBe(0);
      expect(await stage.ask('SELECT count(*) FROM request')).toBe(LINES);
    },
  );

  test('PostgreSQL that is away for a moment under a service costs its clients nothing but time', async () => {
    await using stage = await setStage({ home: 'redis', tiers: slowTiers() });
    const servers = await openSharedServers();
    await startService(stage);
    const names = ids(3 * LINES);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const output = stage.path('out.jsonl');

    const running = stage.start(['run', input, '--out', output]);
    await until('a first call', () => callCount(stage.simulator) > 0);
    const watching = stage.start(['watch', '1']);
    await until('a first look', () => watching.stderr() !== '');
    await servers.killPostgres();
    for (const client of [running, watching]) {
      await until('the client to notice', () =>
        /waiting for the service: .*away for a moment/u.test(client.stderr()),
      );
    }
    await servers.startPostgres();

    for (const client of [running, watching]) requireExit(await client.ended, 0);
    expect(customIdsOf(await readFinalLines(output))).toEqual(names);
  });
});
