/**
 * Whole nights with deadlines and budgets: what free lanes cannot do in time is paid for, by each batch from its own budget,
 * and within its hours. Twenty seconds pass in one.
 */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeHome } from '../homes/homes.ts';
import { requireExit } from './command.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, customIdsOf, ids, readFinalLines } from './lines.ts';
import { billNanoDollars, declarePaid } from './paid-provider.ts';
import { provider, refill } from './providers.ts';
import { setStage, type Stage } from './stage.ts';
import { moveNight, type TestClock, testClock } from './test-clock.ts';

const RATE = 20;
const BEGAN_MS = Date.parse('2026-11-20T20:00Z');
const MINUTE_MS = 60_000;
const KEY_ENV = 'NIGHTSHIFT_E2E_KEY';
const WITH_KEY = { environment: { [KEY_ENV]: 'a-key' } };
const PRICE = { input: 100, output: 400 };
/** Calls a minute on the free lane. */
const FREE_PER_MINUTE = 6;
/** On the test clock: three seconds of real time, for a busy machine. */
const LATE_MS = 3_000 * RATE;

const tiersWith = (perMinute: number) => [
  provider('free', { apiKey: 'a-key', limits: [refill('requests', perMinute, MINUTE_MS)] }),
  provider('dear', { apiKey: 'a-key', latencyMs: 20 }),
];

const summary = z.looseObject({
  lines: z.object({ total: z.number(), succeeded: z.number(), open: z.number() }),
  cost: z.object({ spentNanoDollars: z.number(), heldNanoDollars: z.number() }),
});

describeHome('embedded', () => {
  let stage: Stage;
  let clock: TestClock;

  onCommonGround(async (ground) => {
    clock = testClock(BEGAN_MS, RATE);
    stage = ground.use(
      await setStage({
        home: 'embedded',
        clock,
        // What is refused on a busy machine would lower what is planned: the provider gives more than it says.
        tiers: tiersWith(2 * FREE_PER_MINUTE),
        declaredTiers: tiersWith(FREE_PER_MINUTE),
        apiKeyEnv: KEY_ENV,
      }),
    );
    await declarePaid(stage, 'dear', PRICE);
    requireExit(await stage.run(['providers'], WITH_KEY), 0);
    await moveNight(stage, clock, { originMs: BEGAN_MS, rate: RATE });
  });

  const billed = (): number => billNanoDollars(stage, 'dear', PRICE);

  const inputOf = async (name: string, count: number): Promise<string> =>
    await stage.write(
      `${name}.jsonl`,
      ids(count, `${name}-`).map((id) => chatLine(id)),
    );

  const callsOf = (name: string, providerId: string) =>
    stage.simulator
      .calls()
      .filter((call) => call.provider === providerId && call.customId?.startsWith(`${name}-`) === true);

  /** A call that is late on a busy machine may be hedged, from free quota alone. */
  const expectNonePaidTwice = (name: string, count: number): void => {
    const [free, paid] = [callsOf(name, 'free'), callsOf(name, 'dear')];
    expect(new Set(paid.map(({ customId }) => customId)).size).toBe(paid.length);
    expect(free.length + paid.length).toBeGreaterThanOrEqual(count);
    expect(free.length + paid.length).toBeLessThan(1.1 * count);
  };

  test('Two runs at once pay each from its own budget for what the free lane cannot do in time, and no line twice', async () => {
    const [count, minutes] = [60, 8];
    const before = billed();
    const deadline = new Date(clock.nowMs() + minutes * MINUTE_MS).toISOString();
    const budgets = { one: 1.2, two: 0.9 };
    const runs = await Promise.all(
      Object.entries(budgets).map(async ([name, budget]) => {
        const terms = ['--deadline', deadline, '--max-cost', String(budget), '--json'];
        const ended = await stage.run(['run', await inputOf(name, count), ...terms], WITH_KEY);
        requireExit(ended, 0);
        return { name, budget, ...summary.parse(JSON.parse(ended.stdout)) };
      }),
    );
    expect(clock.nowMs()).toBeLessThan(Date.parse(deadline) + LATE_MS);
    for (const { name, budget, lines, cost } of runs) {
      expect(lines).toEqual({ total: count, succeeded: count, open: 0 });
      expect(cost.heldNanoDollars).toBe(0);
      expect(cost.spentNanoDollars).toBeGreaterThan(0);
      expect(cost.spentNanoDollars).toBeLessThanOrEqual(budget * 1e9);
      const final = await readFinalLines(stage.path(`${name}.out.jsonl`));
      expect(customIdsOf(final)).toEqual(ids(count, `${name}-`));
      expectNonePaidTwice(name, count);
    }
    expect(runs.reduce((sum, { cost }) => sum + cost.spentNanoDollars, 0)).toBe(billed() - before);
    // A busy machine may see too late what is done, and pay for it: what is free is used, if not always all of it.
    const free = callsOf('one', 'free').length + callsOf('two', 'free').length;
    expect(free).toBeGreaterThan(2 * FREE_PER_MINUTE);
  });

  test('Within its hours a batch pays for what the free lane cannot do by their end, and for nothing outside them', async () => {
    const before = billed();
    const name = 'hours';
    const opensMs = Math.ceil((clock.nowMs() + 2 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
    const closesMs = opensMs + 6 * MINUTE_MS;
    const hours = [opensMs, closesMs].map((atMs) => new Date(atMs).toISOString().slice(11, 16)).join('-');
    // A while after they end, and long before they begin again.
    const deadline = new Date(closesMs + 60 * MINUTE_MS).toISOString();
    const terms = ['--between', hours, '--time-zone', 'UTC', '--deadline', deadline, '--max-cost', '2'];
    const ended = await stage.run(['run', await inputOf(name, 90), ...terms, '--json'], WITH_KEY);
    requireExit(ended, 0);
    const { lines, cost } = summary.parse(JSON.parse(ended.stdout));
    expect(lines).toEqual({ total: 90, succeeded: 90, open: 0 });
    expect(cost).toMatchObject({ spentNanoDollars: billed() - before, heldNanoDollars: 0 });
    const arrivals = [...callsOf(name, 'free'), ...callsOf(name, 'dear')].map(
      ({ arrivedAtMs }) => arrivedAtMs,
    );
    expectNonePaidTwice(name, 90);
    expect(Math.min(...arrivals)).toBeGreaterThanOrEqual(opensMs);
    expect(Math.max(...arrivals)).toBeLessThan(closesMs + LATE_MS);
    expect(callsOf(name, 'free').length).toBeGreaterThan(FREE_PER_MINUTE);
    expect(callsOf(name, 'dear').length).toBeGreaterThan(90 - 1.6 * 6 * FREE_PER_MINUTE);
  });
});
