/** Ctrl-C: the first drains, the second aborts, and the same command goes on. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeHomes } from '../homes/homes.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, callsInFlight, provider, until } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage } from './stage.ts';

/** Presses that follow each other faster are taken for one. */
const BETWEEN_PRESSES_MS = 300;
/** How long a call takes that nobody will wait for. */
const STUCK_MS = 60_000;

describeHomes((home) => {
  test('SIGINT drains: no call is cut, the exit code is 130, and the same command finishes without calling twice', async () => {
    await using stage = await setStage({
      home,
      tiers: [provider('slow', { latencyMs: 800, concurrency: 8 })],
    });
    const names = ids(32);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const args = ['run', input, '--out', stage.path('out.jsonl')];
    const command = stage.start(args);
    await until('eight calls under way', () => callsInFlight(stage.simulator) === 8);

    command.kill('SIGINT');
    const { code, stdout, stderr } = await command.ended;

    requireExit({ code, stderr }, 130);
    expect(stdout + stderr).toMatch(/resume|go on/u);
    expect(stdout + stderr).toContain(`run ${input}`);
    const { calls, succeeded } = stage.simulator.stats().providers['slow'] ?? { calls: 0, succeeded: -1 };
    expect(succeeded).toBe(calls);
    expect(calls).toBeLessThan(names.length);
    expect(await readFinalLines(stage.path('out.jsonl.partial'))).toHaveLength(calls);
    const resumed = await stage.run(args);
    requireExit(resumed, 0);
    expect(callCount(stage.simulator)).toBe(names.length);
    expect(customIdsOf(await readFinalLines(stage.path('out.jsonl')))).toEqual(names);
  });

  test('A second SIGINT aborts the calls under way, and their lines run again on the next run', async () => {
    await using stage = await setStage({
      home,
      tiers: [provider('stuck', { latencyMs: STUCK_MS, concurrency: 4 })],
    });
    const names = ids(12);
    const input = await stage.write(
      'in.jsonl',
      names.map((name) => chatLine(name)),
    );
    const args = ['run', input, '--out', stage.path('out.jsonl')];
    const command = stage.start(args);
    await until('four calls under way', () => callsInFlight(stage.simulator) === 4);

    const pressedAtMs = Date.now();
    command.kill('SIGINT');
    await delay(BETWEEN_PRESSES_MS);
    command.kill('SIGINT');
    const { code, stderr } = await command.ended;

    requireExit({ code, stderr }, 130);
    expect(Date.now() - pressedAtMs).toBeLessThan(STUCK_MS / 2);
    expect(await stage.ask("SELECT count(*) FROM request WHERE state NOT IN ('pending', 'parked')")).toBe(0);
    expect(await stage.ask("SELECT count(*) FROM grants WHERE state <> 'closed'")).toBe(0);
  });
});
