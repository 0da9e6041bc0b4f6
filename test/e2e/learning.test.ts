/**
 * A provider that allows 30 % less than it declares: refusals stop after a handful, the evidence is shown, and when the
 * limit is what was declared again, use follows within a few windows.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { CallRecord } from '../../src/simulator/call-log.ts';
import type { SimulatedLimit, SimulatedTier } from '../../src/simulator/tier.ts';
import { describeHome, type HomeName, HOMES } from '../homes/homes.ts';
import { requireExit } from './command.ts';
import { startCrowd, stopCrowd, WEIGHED_LINE } from './crowd.ts';
import { amountTaken, fixed, isRefused, MODEL, provider, rolling, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';

const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
const PER_MS = IS_LONG ? 5_000 : 3_000;
/** How long the provider allows less than it says. */
const WINDOWS = IS_LONG ? 16 : 6;
/** Within which it must have been learned; a single call may then try again whether there is more. */
const LEARNING_WINDOWS = 2;
const A_HANDFUL = 10;
/** Of the true amount: what must be used although it is not the declared one. */
const LEARNED_SHARE = 0.75;
const RECOVERY_WINDOWS = 6;
const RECOVERED_SHARE = 0.95;
/** So many calls may be on their way when the first is refused. */
const CONCURRENCY = 4;
const PROCESSES = 2;

interface Case {
  readonly name: string;
  readonly declared: SimulatedLimit;
  readonly trueAmount: number;
}

const cases: readonly Case[] = [
  { name: 'rolling windows of requests', declared: rolling('requests', 60, PER_MS), trueAmount: 42 },
  { name: 'fixed windows of requests', declared: fixed('requests', 60, PER_MS), trueAmount: 42 },
  { name: 'rolling windows of tokens', declared: rolling('tokens', 10_000, PER_MS), trueAmount: 7_000 },
];

const evidenceShape = z.object({ refusals: z.number(), reason: z.string(), probeAtMs: z.number() });
const providersShape = z.object({
  lanes: z.array(
    z.object({
      limits: z.array(
        z.object({
          metric: z.string(),
          amount: z.number(),
          declaredAmount: z.number(),
          evidence: evidenceShape.nullable(),
        }),
      ),
    }),
  ),
});

/** The one limit as `nightshift providers` shows it. */
const shownLimit = async (stage: Stage) => {
  const ended = await stage.run(['providers', '--json']);
  requireExit(ended, 0);
  const [limit] = providersShape.parse(JSON.parse(ended.stdout)).lanes.flatMap(({ limits }) => limits);
  if (limit === undefined) throw new Error('Expected `nightshift providers` to show a limit, got none.');
  return limit;
};

/** Refusals in each window's length since the first call. */
const refusalsPerWindow = (calls: readonly CallRecord[], firstAtMs: number): readonly number[] =>
  Array.from({ length: WINDOWS }, (_, window) => {
    const fromMs = firstAtMs + window * PER_MS;
    return calls.filter(
      (call) => isRefused(call) && call.arrivedAtMs >= fromMs && call.arrivedAtMs < fromMs + PER_MS,
    ).length;
  });

/** What was used at most in any window that begins at that instant or later. */
const bestUse = (
  calls: readonly CallRecord[],
  { metric, window }: SimulatedLimit,
  fromMs: number,
): number => {
  const answered = calls.filter((call) => !isRefused(call) && call.arrivedAtMs >= fromMs);
  const startOf = (atMs: number) =>
    window.kind === 'fixed' ? atMs - ((atMs - window.anchorAtMs) % PER_MS) : atMs;
  const starts = new Set(answered.map(({ arrivedAtMs }) => startOf(arrivedAtMs)));
  const uses = [...starts].map((startMs) =>
    answered
      .filter(({ arrivedAtMs: atMs }) => atMs >= startMs && atMs < startMs + PER_MS)
      .reduce((sum, call) => sum + amountTaken(metric, call), 0),
  );
  return Math.max(0, ...uses);
};

/** Calls at a provider with that amount. */
const tierOf = ({ declared }: Case, amount: number): SimulatedTier =>
  provider('strict', { limits: [{ ...declared, amount }], latencyMs: 20, concurrency: CONCURRENCY });

/** What the provider's log says of the time in which it allows less than it says, after that time. */
const strictTime = async ({ simulator }: Stage, { declared }: Case) => {
  await until('the first call', () => simulator.calls().length > 0);
  const firstAtMs = simulator.calls()[0]?.arrivedAtMs ?? 0;
  await delay(WINDOWS * PER_MS);
  const calls = simulator.calls();
  const usedMost = bestUse(calls, declared, firstAtMs + LEARNING_WINDOWS * PER_MS);
  return { firstAtMs, refused: refusalsPerWindow(calls, firstAtMs), usedMost };
};

/** Makes the declared amount true, and gives the number of windows after which it was used. */
const windowsToRecover = async ({ simulator }: Stage, { declared }: Case): Promise<number> => {
  const { metric, amount } = declared;
  const change = { provider: 'strict', model: MODEL, metric, amount };
  const response = await fetch(`${simulator.url}/_/limits`, { method: 'POST', body: JSON.stringify(change) });
  expect(response.status).toBe(200);
  const raisedAtMs = simulator.stats().nowMs;
  await until(
    `${RECOVERED_SHARE * 100} % of the declared amount to be used in a window`,
    () => bestUse(simulator.calls(), declared, raisedAtMs) >= amount * RECOVERED_SHARE,
    (RECOVERY_WINDOWS + 2) * PER_MS,
  );
  return Math.ceil((simulator.stats().nowMs - raisedAtMs) / PER_MS);
};

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Quota is learned in PostgreSQL on every home, so a quick run takes one. */
const homes: readonly HomeName[] = IS_LONG ? HOMES : ['embedded'];

for (const home of homes) {
  describeHome(home, () => {
    test.each(IS_LONG ? cases : cases.slice(0, 1))(
      'A limit of $name that is 30 % less than declared is learned after a handful of refusals, and unlearned when it is not',
      { timeout: 400_000 },
      async (each) => {
        const { name, declared, trueAmount } = each;
        await using stage = await setStage({
          home,
          tiers: [tierOf(each, trueAmount)],
          declaredTiers: [tierOf(each, declared.amount)],
        });
        const linesEach = 120 * (WINDOWS + RECOVERY_WINDOWS + 2);
        const runs = await startCrowd(stage, { processes: PROCESSES, linesEach, ...WEIGHED_LINE });

        const { firstAtMs, refused, usedMost } = await strictTime(stage, each);
        const learned = await shownLimit(stage);
        console.log(
          `${name}, declared ${declared.amount}, true ${trueAmount}: refused per window ${refused.join(' ')}; ` +
            `granted ${learned.amount}, used ${usedMost} at most after learning`,
        );
        expect(total(refused)).toBeGreaterThan(0);
        expect(total(refused)).toBeLessThanOrEqual(A_HANDFUL);
        // The probe itself, and a call that was on its way beside it.
        expect(Math.max(...refused.slice(LEARNING_WINDOWS))).toBeLessThanOrEqual(2);
        expect(learned.declaredAmount).toBe(declared.amount);
        expect(learned.amount).toBeLessThan(declared.amount);
        expect(learned.evidence).toMatchObject({
          refusals: expect.any(Number),
          reason: expect.stringMatching(/./u),
        });
        expect(usedMost).toBeGreaterThanOrEqual(trueAmount * LEARNED_SHARE);

        const windows = await windowsToRecover(stage, each);
        await stopCrowd(runs);
        const most = bestUse(stage.simulator.calls(), declared, firstAtMs);
        console.log(
          `${name}: ${RECOVERED_SHARE * 100} % of the declared amount used within ${windows} windows`,
        );
        expect(windows).toBeLessThanOrEqual(RECOVERY_WINDOWS);
        expect(most).toBeLessThanOrEqual(declared.amount);
      },
    );
  });
}
