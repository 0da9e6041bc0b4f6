/** What every implementation of quota promises, as properties over random nights. */
import fc from 'fast-check';
import { expect, type TestContext, test } from 'vitest';
import type { TokenEstimate } from '../../src/core/model.ts';
import type { QuotaScope } from '../../src/core/quota/quota.ts';
import {
  LANES,
  PROVIDER,
  lateNightArbitrary,
  nightArbitrary,
  steppedNightArbitrary,
} from './quota-commands.ts';
import { type Play, callsOn, endAll, placeOrder, playNight, waitUntil } from './quota-night.ts';
import { findRefusal } from './quota-provider.ts';
import type { Answer, QuotaUnderTest } from './quota-under-test.ts';

/** How hard to try. */
export interface Effort {
  /** Nights per property. */
  readonly nights: number;
  /** Commands per night, at most. */
  readonly commands: number;
}

/** A hundred thousand nights take some minutes. */
const LONGEST_MS = 3_600_000;

/** Longer than any window, with its margins. */
const ALL_WINDOWS_MS = 70 * 86_400_000;

/** Registers the suite for one implementation. */
export const testQuota = (
  open: (context: TestContext) => Promise<QuotaUnderTest>,
  { nights, commands }: Effort,
): void => {
  const everyNight = async (
    quota: QuotaUnderTest,
    check: (play: Play) => Promise<void>,
    onRefusal?: Play['onRefusal'],
    anyNight = nightArbitrary(commands),
  ): Promise<void> =>
    await fc.assert(
      fc.asyncProperty(anyNight, async (night) => check(await playNight(quota, night, onRefusal))),
      { numRuns: nights },
    );

  test(
    'it never lets a provider refuse a call, in any order of events and wherever in the margin calls arrive',
    { timeout: LONGEST_MS },
    async (context) => {
      await expect(everyNight(await open(context), expectNoRefusal)).resolves.toBeUndefined();
    },
  );

  test(
    'it does so though somebody sets the clock, forwards or back',
    { timeout: LONGEST_MS },
    async (context) => {
      const stepped = everyNight(
        await open(context),
        expectNoRefusal,
        undefined,
        steppedNightArbitrary(commands),
      );
      await expect(stepped).resolves.toBeUndefined();
    },
  );

  test(
    'it names the first instant at which a refused call may find room',
    { timeout: LONGEST_MS },
    async (context) => {
      await expect(everyNight(await open(context), expectNoRefusal, askAgain)).resolves.toBeUndefined();
    },
  );

  test(
    'it counts a call that was sent late from then, and gives everything back',
    { timeout: LONGEST_MS },
    async (context) => {
      const late = everyNight(
        await open(context),
        expectNothingLeaks,
        undefined,
        lateNightArbitrary(commands),
      );
      await expect(late).resolves.toBeUndefined();
    },
  );

  test(
    'it gives everything back once all calls have ended and their windows have passed',
    { timeout: LONGEST_MS },
    async (context) => {
      await expect(everyNight(await open(context), expectNothingLeaks)).resolves.toBeUndefined();
    },
  );
};

const expectNoRefusal = async (play: Play): Promise<void> => {
  expect(refusals(play)).toEqual([]);
};

/** What the provider would have refused, over all its limits and both ways to charge. */
const refusals = (play: Play): string[] =>
  play.scopes.flatMap(({ id, limits }) =>
    limits.flatMap((limit) =>
      (['estimate-first', 'actual-at-once'] as const).flatMap(
        (charging) => findRefusal(limit, callsOn(play, id), charging) ?? [],
      ),
    ),
  );

/** Just before the instant there is still no room; at the instant there is, or a later one is named. */
const askAgain: Play['onRefusal'] = async (play, order, refusal) => {
  let answer: Answer = refusal;
  while (answer.kind === 'refused' && answer.roomAtMs !== null) {
    expect(answer.roomAtMs).toBeGreaterThan(play.nowMs);
    const justBeforeMs = answer.roomAtMs - roundingMs(play.scopes, order.scopes) - 1;
    if (justBeforeMs > play.nowMs) {
      await waitUntil(play, justBeforeMs);
      expect((await play.quota.reserve(order.scopes, order.estimate)).kind).toBe('refused');
    }
    await waitUntil(play, answer.roomAtMs);
    answer = await placeOrder(play, order);
  }
};

/** Debt drains in fractions of a token: the instant is then right to a millisecond. */
const roundingMs = (scopes: readonly QuotaScope[], charged: readonly string[]): number =>
  scopes.some(
    ({ id, limits }) => charged.includes(id) && limits.some(({ window }) => window.kind === 'refill'),
  )
    ? 1
    : 0;

const expectNothingLeaks = async (play: Play): Promise<void> => {
  await endAll(play);
  await waitUntil(play, play.nowMs + ALL_WINDOWS_MS);
  expect([...(await play.quota.inUse()).values()].filter((amount) => amount !== 0)).toEqual([]);
  await play.quota.audit();
  const scopes = [LANES[0], PROVIDER];
  expect((await play.quota.reserve(scopes, largestNeed(play.scopes, scopes))).kind).toBe('granted');
};

/** The largest call that fits every window of these scopes when they are empty. */
const largestNeed = (scopes: readonly QuotaScope[], charged: readonly string[]): TokenEstimate => {
  const limits = scopes.filter(({ id }) => charged.includes(id)).flatMap((scope) => scope.limits);
  const least = (metric: string): number =>
    Math.min(1_000, ...limits.filter((limit) => limit.metric === metric).map((limit) => limit.amount));
  const promptTokens = Math.min(least('inputTokens'), least('tokens'), promptOfUnits(scopes, charged));
  const outputTokens = limits.some(({ metric }) => metric === 'units')
    ? 0
    : Math.min(least('outputTokens'), least('tokens') - promptTokens);
  return { promptTokens, outputTokens };
};

/** The longest prompt that every limit of units holds by itself. */
const promptOfUnits = (scopes: readonly QuotaScope[], charged: readonly string[]): number => {
  const input = scopes.find(({ id }) => id === charged[0])?.unitCost?.input ?? 0;
  const units = scopes
    .filter(({ id }) => charged.includes(id))
    .flatMap(({ limits }) => limits)
    .filter(({ metric }) => metric === 'units')
    .map(({ amount }) => amount);
  return input === 0 ? 1_000 : Math.floor((Math.min(1_000, ...units) * 1_000) / input);
};
