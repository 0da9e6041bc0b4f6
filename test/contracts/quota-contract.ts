/** What every implementation of quota promises, as properties over random nights. */
import fc from 'fast-check';
import { expect, type TestContext, test } from 'vitest';
import type { Limit, TokenEstimate } from '../../src/core/model.ts';
import type { QuotaScope, Settlement } from '../../src/core/quota/quota.ts';
import {
  LANES,
  PROVIDER,
  lateNightArbitrary,
  nightArbitrary,
  steppedNightArbitrary,
} from './quota-commands.ts';
import { type Play, callsOn, endAll, placeOrder, playNight, waitUntil } from './quota-night.ts';
import { findRefusal, type ProvidersCall } from './quota-provider.ts';
import { type Answer, limitName, type QuotaUnderTest } from './quota-under-test.ts';

/** A bucket that is drawn from as soon as there is room, and how its first calls went. */
const slowStartArbitrary = fc.record({
  amount: fc.integer({ min: 1, max: 5 }),
  perMs: fc.constantFrom(10_000, 60_000),
  /** Of those that find it full: of the margin, how late they come. */
  late01: fc.double({ min: 0, max: 4, noNaN: true }),
  callMs: fc.integer({ min: 0, max: 20_000 }),
  startsAtMs: fc.integer({ min: 0, max: 1_000_000 }),
});

/** How hard to try. */
export interface Effort {
  /** Nights per property. */
  readonly nights: number;
  /** Commands per night, at most. */
  readonly commands: number;
}

const within = (perMs: number): Limit['window'] => ({ kind: 'rolling', perMs });

/** How a call that held 100 tokens of prompt and 50 of answer ends, and what then counts. */
interface Settled {
  readonly settlement: Settlement;
  readonly used: readonly [tokensInMinute: number, tokensInDay: number, requests: number];
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
    'it lets calls to a full bucket be late by four times the margin, for as long as that is drawn from',
    { timeout: LONGEST_MS },
    async (context) => {
      const quota = await open(context);
      const slowly = fc.asyncProperty(slowStartArbitrary, async ({ amount, perMs, ...start }) => {
        const limit: Limit = { metric: 'requests', amount, window: { kind: 'refill', perMs } };
        const calls = await drawAll(quota, limit, start);
        expect(findRefusal(limit, calls, 'estimate-first')).toBeNull();
      });
      await expect(fc.assert(slowly, { numRuns: Math.ceil(nights / 10) })).resolves.toBeUndefined();
    },
  );

  test(
    'it gives everything back once all calls have ended and their windows have passed',
    { timeout: LONGEST_MS },
    async (context) => {
      await expect(everyNight(await open(context), expectNothingLeaks)).resolves.toBeUndefined();
    },
  );

  test.for<Settled>([
    { settlement: { kind: 'usage', usage: { promptTokens: 90, completionTokens: 5 } }, used: [95, 95, 1] },
    { settlement: { kind: 'estimate' }, used: [150, 150, 1] },
    { settlement: { kind: 'prompt', promptTokens: 100 }, used: [150, 100, 1] },
    { settlement: { kind: 'request' }, used: [0, 0, 1] },
    { settlement: { kind: 'release' }, used: [0, 0, 0] },
  ])(
    'it counts of a call that is settled by $settlement.kind tokens in a minute, in a day, and requests: $used',
    async ({ settlement, used }, context) => {
      const quota = await open(context);
      const limits: readonly Limit[] = [
        { metric: 'tokens', amount: 1_000, window: within(60_000) },
        { metric: 'tokens', amount: 1_000, window: within(86_400_000) },
        { metric: 'requests', amount: 10, window: within(60_000) },
      ];
      const scopes = [...LANES, PROVIDER];
      await quota.reset(
        scopes.map((id) => ({ id, limits: id === LANES[0] ? limits : [], concurrency: null })),
        0,
      );
      const answer = await quota.reserve([LANES[0], PROVIDER], { promptTokens: 100, outputTokens: 50 });
      if (answer.kind === 'refused') throw new Error('Expected a grant, got a refusal.');
      await quota.begin(answer.grant);
      await quota.settle(answer.grant, settlement, null);
      const inUse = await quota.inUse();
      const usedOf = ({ metric, window }: Limit): number =>
        inUse.get(limitName(LANES[0], metric, { ...window })) ?? 0;
      expect(limits.map(usedOf)).toEqual(used);
    },
  );
};

/** So many calls more than fill the bucket. */
const DRAWN_CALLS = 12;

/** Draws from a full bucket whenever there is room. The calls that find it full are late, all others come at once. */
const drawAll = async (
  quota: QuotaUnderTest,
  limit: Limit,
  {
    late01,
    callMs,
    startsAtMs,
  }: { readonly late01: number; readonly callMs: number; readonly startsAtMs: number },
): Promise<readonly ProvidersCall[]> => {
  const estimate: TokenEstimate = { promptTokens: 1, outputTokens: 1 };
  const scopes = [LANES[0], PROVIDER];
  const limitsOf = (id: string): QuotaScope => ({
    id,
    limits: id === PROVIDER ? [limit] : [],
    concurrency: null,
  });
  await quota.reset([...LANES, PROVIDER].map(limitsOf), startsAtMs);
  const calls: ProvidersCall[] = [];
  const open: { readonly grant: number; readonly endsAtMs: number }[] = [];
  const goOnTo = async (atMs: number): Promise<void> => {
    for (const call of open.splice(0)) {
      if (call.endsAtMs > atMs) open.push(call);
      else {
        await quota.setClock(call.endsAtMs);
        await quota.settle(call.grant, { kind: 'estimate' }, null);
      }
    }
    await quota.setClock(atMs);
  };
  for (let nowMs = startsAtMs; calls.length < limit.amount + DRAWN_CALLS;) {
    const answer = await quota.reserve(scopes, estimate);
    if (answer.kind === 'refused') {
      const nextMs = Math.min(answer.roomAtMs ?? Infinity, ...open.map(({ endsAtMs }) => endsAtMs));
      nowMs = Math.max(nowMs + 1, nextMs);
      await goOnTo(nowMs);
      continue;
    }
    const begunAtMs = (await quota.begin(answer.grant)) ?? nowMs;
    const arrival01 = begunAtMs <= startsAtMs + 1 ? late01 : 0;
    const endedAtMs = begunAtMs + callMs;
    calls.push({
      begunAtMs,
      endedAtMs,
      arrival01,
      estimate,
      actual: estimate,
      unitCost: { input: 0, output: 0 },
    });
    open.push({ grant: answer.grant, endsAtMs: endedAtMs });
  }
  return calls;
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
