/**
 * Money, on a whole machine: what is paid is called with a budget alone, never for more than the budget, by the
 * provider's own count of tokens; what is left is reported.
 */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeHomes, isThorough } from '../homes/homes.ts';
import { requireExit } from './command.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, ids } from './lines.ts';
import { billNanoDollars, declarePaid } from './paid-provider.ts';
import { MODEL, provider, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const KEY_ENV = 'NIGHTSHIFT_E2E_KEY';
const WITH_KEY = { environment: { [KEY_ENV]: 'a-key' } };
/** Dollars per million tokens; a billionth of a dollar is then a thousandth of these per token. */
const PRICE = { input: 100, output: 400 };
const BUDGET = 0.6;
/** For calls that are killed, which count in full ($0.17) and may be 64 at once, twice, and then some. */
const ENOUGH = 40;

const summary = z.looseObject({
  end: z.string(),
  exitReason: z.string(),
  lines: z.object({ total: z.number(), succeeded: z.number(), open: z.number() }),
  cost: z.object({
    maxNanoDollars: z.number().nullable(),
    spentNanoDollars: z.number(),
    heldNanoDollars: z.number(),
  }),
  savings: z.object({ against: z.string(), nanoDollars: z.number() }).nullable(),
});

describeHomes((home) => {
  let stage: Stage;

  onCommonGround(async (ground) => {
    stage = ground.use(
      await setStage({
        home,
        tiers: [provider('free', { apiKey: 'a-key' }), provider('dear', { apiKey: 'a-key', latencyMs: 20 })],
        apiKeyEnv: KEY_ENV,
        pools: { free: [`free/${MODEL}`], dear: [`dear/${MODEL}`] },
      }),
    );
    await declarePaid(stage, 'dear', PRICE);
    // Makes the record, which is asked below before a run may have made it.
    requireExit(await stage.run(['providers'], WITH_KEY), 0);
  });

  const inputOf = async (name: string, count: number, model: string): Promise<string> =>
    await stage.write(
      `${name}.jsonl`,
      ids(count, name).map((id) => chatLine(id, { model })),
    );

  const billed = (): number => billNanoDollars(stage, 'dear', PRICE);

  /** Waits for the batch, and lets it have so many calls on paid lanes. */
  const allowed = async (name: string, requests: number): Promise<void> =>
    await until(`the batch ${name}`, async () => {
      const id = await stage.ask(`SELECT id FROM nightshift.batch WHERE name = '${name}' AND total > 0`);
      if (typeof id === 'number') await stage.ask(`SELECT nightshift.allow_paid(${id}, ${requests})`);
      return typeof id === 'number';
    });

  test('what is paid is refused without a budget, with the way out, and nothing is called', async () => {
    const byPool = await stage.run(['run', await inputOf('pool', 3, 'dear'), '--pool', 'dear'], WITH_KEY);
    const byLine = await stage.run(['run', await inputOf('line', 3, 'dear')], WITH_KEY);
    for (const ended of [byPool, byLine]) {
      requireExit(ended, 1);
      expect(ended.stderr).toContain(`every lane of "dear" is paid (dear/${MODEL}), got none`);
      expect(ended.stderr).toContain('--max-cost 2.50');
    }
    expect(stage.simulator.calls()).toEqual([]);
  });

  test('what free lanes can do is done by them, and what it saved is told', async () => {
    const input = await inputOf('free', 20, 'free');
    const ended = await stage.run(['run', input, '--max-cost', '5', '--json'], WITH_KEY);
    requireExit(ended, 0);
    const told = summary.parse(JSON.parse(ended.stdout));
    expect(billed()).toBe(0);
    expect(told.cost).toEqual({ maxNanoDollars: 5_000_000_000, spentNanoDollars: 0, heldNanoDollars: 0 });
    expect(told.savings).toEqual({ against: `dear/${MODEL}`, nanoDollars: expect.any(Number) });
    const status = await stage.run(['status', 'free'], WITH_KEY);
    expect(status.stdout).toMatch(
      new RegExp(`spent \\$0\\.00 of \\$5\\.00; saved \\$0\\.\\d+ against dear/${MODEL}`, 'u'),
    );
  });

  test('a budget that cannot cover all is never exceeded, and the rest is reported', async () => {
    const count = 120;
    const input = await inputOf('dear', count, 'dear');
    const command = stage.start(['run', input, '--max-cost', String(BUDGET), '--json'], WITH_KEY);
    await allowed('dear', count);
    const ended = await command.ended;
    requireExit(ended, 1);
    const told = summary.parse(JSON.parse(ended.stdout));
    expect(told).toMatchObject({
      end: 'stuck',
      exitReason: 'the lines that are left wait for a key or money',
      cost: { maxNanoDollars: BUDGET * 1e9, heldNanoDollars: 0 },
    });
    const answered = stage.simulator.calls().filter((call) => call.provider === 'dear').length;
    expect(told.lines).toEqual({ total: count, succeeded: answered, open: count - answered });
    expect(answered).toBeGreaterThan(10);
    expect(told.cost.spentNanoDollars).toBe(billed());
    expect(billed()).toBeLessThanOrEqual(BUDGET * 1e9);
    const again = await stage.run(['run', input, '--max-cost', String(BUDGET)], WITH_KEY);
    requireExit(again, 1);
    expect(again.stdout).toContain(`lines that are left wait for money`);
    expect(billed()).toBe(told.cost.spentNanoDollars);
  });

  test.runIf(isThorough(home))(
    'nor is it where the process is killed in the middle of calls, twice',
    async () => {
      const before = billed();
      const input = await inputOf('killed', 200, 'dear');
      stage.simulator.setFaults([{ provider: 'dear', kind: 'slow', latencyMs: 300 }]);
      for (const round of [1, 2]) {
        // Counted before it starts: on a busy machine all may be called by the time that they are allowed.
        const calls = stage.simulator.calls().length;
        const command = stage.start(['run', input, '--max-cost', String(ENOUGH)], WITH_KEY);
        await allowed('killed', 200);
        await until('calls', () => stage.simulator.calls().length > calls + 2 * round);
        command.kill('SIGKILL');
        await command.ended;
      }
      stage.simulator.setFaults([]);
      const ended = await stage.run(['run', input, '--max-cost', String(ENOUGH), '--json'], WITH_KEY);
      const { cost, lines } = summary.parse(JSON.parse(ended.stdout));
      const bill = billed() - before;
      expect(lines.succeeded).toBeGreaterThan(10);
      expect(bill).toBeLessThanOrEqual(cost.spentNanoDollars);
      expect(cost.spentNanoDollars).toBeLessThanOrEqual(ENOUGH * 1e9);
    },
  );
});
