/**
 * What batches go by, on a whole machine with one service: hours, priority, equal shares and deadlines. Twenty seconds pass
 * in one, so that hours begin and end within the test.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeHome } from '../homes/homes.ts';
import { requireExit } from './command.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, customIdsOf, finalLinesIn, ids, readFinalLines } from './lines.ts';
import { type ServiceProcess, startService } from './processes.ts';
import { MODEL, provider, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';
import { moveNight, type TestClock, testClock } from './test-clock.ts';

const RATE = 20;
const BEGAN_MS = Date.parse('2026-11-20T20:00Z');
const LANE = `only/${MODEL}`;
/** On the test clock: two seconds of real time, for a busy machine. */
const LATE_MS = 2_000 * RATE;

const batchShape = z.looseObject({ id: z.number(), state: z.string() });
const statusShape = z.object({
  progress: z.object({
    batch: z.looseObject({
      state: z.string(),
      total: z.number(),
      succeeded: z.number(),
      expired: z.number(),
      completedAtMs: z.number(),
      terms: z.object({ deadlineAtMs: z.number() }),
    }),
  }),
});

/** `HH:MM` of an instant in UTC. */
const timeOfDay = (atMs: number): string => new Date(atMs).toISOString().slice(11, 16);

describeHome('embedded', () => {
  let stage: Stage;
  let clock: TestClock;
  let service: ServiceProcess;

  onCommonGround(async (ground) => {
    clock = testClock(BEGAN_MS, RATE);
    stage = ground.use(
      await setStage({
        home: 'embedded',
        clock,
        tiers: [provider('only', { concurrency: 2, latencyMs: 30 })],
      }),
    );
    requireExit(await stage.run(['providers']), 0);
    await moveNight(stage, clock, { originMs: BEGAN_MS, rate: RATE });
    service = await startService(stage);
  });

  const submit = async (name: string, count: number, ...options: readonly string[]): Promise<string> => {
    const lines = ids(count, `${name}-`).map((id) => chatLine(id));
    const args = ['submit', await stage.write(`${name}.jsonl`, lines), '--json', ...options];
    const ended = await stage.run(args);
    requireExit(ended, 0);
    return String(batchShape.parse(JSON.parse(ended.stdout)).id);
  };

  /** The names of the batches whose lines these calls were for, in the order in which they reached the provider. */
  const callsOf = (...names: readonly string[]) =>
    stage.simulator
      .calls()
      .map(({ customId, arrivedAtMs }) => ({ name: customId?.split('-')[0] ?? '', arrivedAtMs }))
      .filter(({ name }) => names.includes(name))
      .toSorted((a, b) => a.arrivedAtMs - b.arrivedAtMs);

  /** Has all of it submitted before the first call is made. */
  const whilePaused = async (work: () => Promise<void>): Promise<void> => {
    requireExit(await stage.run(['pause', '--lane', LANE]), 0);
    await work();
    requireExit(await stage.run(['resume', '--lane', LANE]), 0);
  };

  test('Batches of equal priority share the calls equally, and a higher one goes before them', async () => {
    await whilePaused(async () => {
      await submit('one', 40);
      await submit('two', 40);
      await submit('urgent', 10, '--priority', '10');
    });
    await until('all calls', () => callsOf('one', 'two', 'urgent').length === 90);

    const order = callsOf('one', 'two', 'urgent').map(({ name }) => name);
    expect(order.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 'urgent'));
    const shared = order.slice(10, 50).filter((name) => name === 'one').length;
    expect(shared).toBeGreaterThanOrEqual(16);
    expect(shared).toBeLessThanOrEqual(24);
  });

  test('Hours hold every call until they begin and after they end, and a run says until when it waits', async () => {
    // Whole minutes on the test clock, of three seconds each; the first is far enough away for the command to start.
    const opensMs = Math.ceil((clock.nowMs() + 3 * 60_000) / 60_000) * 60_000;
    const closesMs = opensMs + 60_000;
    const lines = ids(400, 'night-').map((id) => chatLine(id));
    const input = await stage.write('night.jsonl', lines);
    const hours = `${timeOfDay(opensMs)}-${timeOfDay(closesMs)}`;
    const run = stage.start(['run', input, '--between', hours, '--time-zone', 'UTC']);
    await until('the run to say that it waits', () => /waits until .* for its hours/u.test(run.stderr()));
    expect(clock.nowMs()).toBeLessThan(opensMs);
    expect(run.stderr()).toContain(`(UTC): waits until`);
    const listed = await stage.run(['status', 'night']);
    expect(listed.stdout).toMatch(/Batch "night" \(\d+\) waits until/u);
    await until('the end of the hours', () => clock.nowMs() > closesMs + LATE_MS);
    await until(
      'the run to say that it waits again',
      () => (run.stderr().match(/for its hours/gu) ?? []).length > 1,
    );

    const arrivals = callsOf('night').map(({ arrivedAtMs }) => arrivedAtMs);
    expect(arrivals.length).toBeGreaterThan(10);
    expect(arrivals.length).toBeLessThan(lines.length);
    expect(arrivals[0]).toBeGreaterThanOrEqual(opensMs);
    expect(arrivals[0]).toBeLessThan(opensMs + LATE_MS);
    expect(arrivals.at(-1)).toBeLessThan(closesMs + LATE_MS);
    expect(arrivals.at(-1)).toBeGreaterThan(closesMs - LATE_MS);
    run.kill('SIGINT');
    requireExit(await run.ended, 130);

    // The same on other terms is the same batch, and goes on at once.
    const again = await stage.run(['run', input, '--between', 'always']);
    requireExit(again, 0);
    expect(again.stderr).toMatch(/from now on it runs at any time \(before: between/u);
    expect(callsOf('night')).toHaveLength(lines.length);
    expect(customIdsOf(await readFinalLines(stage.path('night.out.jsonl')))).toEqual(ids(400, 'night-'));
  });

  test('A deadline ends every line that is not under way, to the second, and `retry` takes them up', async () => {
    // From when it is taken in, however long the command takes to start: three seconds of real time.
    const batch = await submit('late', 400, '--deadline', '60s');
    const watched = await stage.run(['watch', batch, '--quiet', '--json']);
    requireExit(watched, 2);
    const { progress } = statusShape.parse(JSON.parse(watched.stdout));
    const { state, succeeded, expired, completedAtMs, terms } = progress.batch;
    const deadlineMs = terms.deadlineAtMs;
    expect([state, succeeded + expired]).toEqual(['expired', 400]);
    expect(succeeded).toBeGreaterThan(0);
    expect(callsOf('late')).toHaveLength(succeeded);
    expect(completedAtMs).toBeGreaterThanOrEqual(deadlineMs);
    expect(completedAtMs).toBeLessThan(deadlineMs + LATE_MS);
    expect(callsOf('late').at(-1)?.arrivedAtMs).toBeLessThan(deadlineMs + LATE_MS);

    const results = await stage.run(['results', batch, '--order', 'input', '--only', 'all']);
    const final = finalLinesIn(results.stdout);
    expect(customIdsOf(final)).toEqual(ids(400, 'late-'));
    expect(final.filter(({ error }) => error?.code === 'batch_expired')).toHaveLength(expired);

    requireExit(await stage.run(['retry', batch]), 0);
    requireExit(await stage.run(['watch', batch, '--quiet']), 0);
    expect(callsOf('late')).toHaveLength(400);
  });

  test('A deadline that came while nobody was there is met when the same command runs again', async () => {
    await service.kill('SIGTERM');
    await submit('off', 5, '--deadline', '10m');
    await moveNight(stage, clock, { originMs: clock.nowMs() + 3_600_000, rate: RATE });

    const again = await stage.run(['run', stage.path('off.jsonl'), '--deadline', '10m', '--json']);
    requireExit(again, 2);
    expect(JSON.parse(again.stdout)).toMatchObject({
      lines: { total: 5, expired: 5, succeeded: 0 },
      exitReason: 'its deadline came before it was done',
    });
    const errors = await readFinalLines(stage.path('off.out.errors.jsonl'));
    expect(errors.map(({ error }) => error?.code)).toEqual(Array.from({ length: 5 }, () => 'batch_expired'));
    expect(callsOf('off')).toEqual([]);
  });

  test('A run of its own waits for its hours, too, and stays', async () => {
    const opensMs = clock.nowMs() + 12 * 3_600_000;
    const input = await stage.write('alone.jsonl', [chatLine('alone-1')]);
    const hours = `${timeOfDay(opensMs)}-${timeOfDay(opensMs + 3_600_000)}`;
    const run = stage.start(['run', input, '--between', hours, '--time-zone', 'UTC']);
    await until('the run to say that it waits', () => /waits until .* for its hours/u.test(run.stderr()));
    // Longer than a run stands still that nothing can move.
    await delay(4_000);
    run.kill('SIGINT');
    requireExit(await run.ended, 130);
    expect(callsOf('alone')).toEqual([]);
  });
});
