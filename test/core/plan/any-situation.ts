/** Situations of every kind, for properties of the planner: as a record may tell them, however unlikely. */
import fc from 'fast-check';
import type { Metric, Window } from '../../../src/core/model.ts';
import { bandRange } from '../../../src/core/plan/bands.ts';
import type {
  AnswerTally,
  BacklogCell,
  Freeing,
  PlanLane,
  PlanLimit,
  PlanProvider,
  PlanRoute,
  Situation,
} from '../../../src/core/plan/situation.ts';
import { marginMs, windowEndMs, windowMs } from '../../../src/core/quota/window.ts';

/** When all of them are: some minutes past an hour of UTC. */
export const NOW_MS = Date.UTC(2026, 10, 20, 12, 3, 20);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const THOUSANDTHS = 1_000;

/** Windows of every kind, from seconds to a month. */
export const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('rolling' as const, 'refill' as const, 'session' as const),
    perMs: fc.constantFrom(10_000, MINUTE_MS, HOUR_MS, 5 * HOUR_MS, 24 * HOUR_MS),
  }),
  fc.record({
    kind: fc.constant('fixed' as const),
    perMs: fc.constantFrom(MINUTE_MS, HOUR_MS, 24 * HOUR_MS),
    anchorAtMs: fc.integer({ min: NOW_MS - 48 * HOUR_MS, max: NOW_MS }),
  }),
  fc.constantFrom<Window>(
    { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' },
    { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
    { kind: 'fixed-month', anchorAtMs: Date.UTC(2026, 0, 31), timeZone: 'Asia/Shanghai' },
  ),
);

/** Figures with two decimals: those that differ by less differ by nothing that a solver sees. */
const hundredths = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: min * 100, max: max * 100 }).map((whole) => whole / 100);

const AMOUNTS: Readonly<Record<Metric, fc.Arbitrary<number>>> = {
  requests: fc.integer({ min: 1, max: 500 }),
  tokens: fc.integer({ min: 200, max: 500_000 }),
  inputTokens: fc.integer({ min: 200, max: 500_000 }),
  outputTokens: fc.integer({ min: 200, max: 100_000 }),
  units: fc.integer({ min: 1, max: 10_000 }).map((units) => units * THOUSANDTHS),
};

/** A limit of a scope, with something used of it whose end is known in part. */
export const anyLimit = (scope: string): fc.Arbitrary<PlanLimit> =>
  fc
    .record({
      metric: fc.constantFrom<Metric>('requests', 'tokens', 'tokens', 'inputTokens', 'outputTokens', 'units'),
      window: anyWindow,
      usedShare: fc.oneof(fc.constantFrom(0, 1), hundredths(0, 1)),
      parts: fc.array(hundredths(0, 1), { maxLength: 4 }),
      knownShare: fc.constantFrom(0.5, 1, 1),
    })
    .chain((drawn) =>
      AMOUNTS[drawn.metric].map((amount): PlanLimit => {
        const { metric, window, usedShare } = drawn;
        const used = amount * usedShare;
        const freeings = freeingsOf(window, used * drawn.knownShare, drawn.parts);
        return { scope, metric, window, amount, used, freeings, marginMs: marginMs(window) };
      }),
    );

/** What is counted ends at some instants while a window rolls, and all at once in the others. */
const freeingsOf = (window: Window, amount: number, parts: readonly number[]): readonly Freeing[] => {
  const margin = marginMs(window);
  if (window.kind === 'refill' || amount === 0) return [];
  if (window.kind === 'rolling' || window.kind === 'session') {
    const lengthMs = windowMs(window) + margin;
    const places = parts.length === 0 || window.kind === 'session' ? [parts[0] ?? 0.5] : parts;
    return places
      .toSorted((a, b) => a - b)
      .map((place) => ({ atMs: NOW_MS + 1 + Math.floor(place * lengthMs), amount: amount / places.length }));
  }
  return [{ atMs: windowEndMs(window, NOW_MS) + margin, amount }];
};

const anyLane = (id: string, providerId: string): fc.Arbitrary<PlanLane> =>
  fc
    .record({
      slots: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 16 }) }, fc.constant(0)),
      callMs: fc.integer({ min: 100, max: 60_000 }),
      failureShare: fc.constantFrom(0, 0, 0.05, 0.5),
      tokenRatio: hundredths(0.7, 1.6),
      spread: hundredths(1, 1.5),
      contextTokens: fc.constantFrom(2_000, 8_192, 131_072, 1_000_000),
      maxOutputTokens: fc.constantFrom(256, 1_024, 8_192),
      unitCost: fc.record({
        input: hundredths(0, 5),
        output: hundredths(0, 50),
      }),
      opensInMs: fc.oneof(
        { weight: 6, arbitrary: fc.constant(-1_000) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: 6 * HOUR_MS }) },
        { weight: 1, arbitrary: fc.constant(Infinity) },
      ),
    })
    .map(({ spread, opensInMs, ...lane }) => ({
      ...lane,
      id,
      providerId,
      tokenRatioAtMost: lane.tokenRatio * spread,
      opensAtMs: NOW_MS + opensInMs,
    }));

interface Offer {
  readonly provider: PlanProvider;
  readonly lanes: readonly PlanLane[];
  readonly limits: readonly PlanLimit[];
}

const anyOffer = (id: string): fc.Arbitrary<Offer> =>
  fc.integer({ min: 1, max: 3 }).chain((count) => {
    const laneIds = Array.from({ length: count }, (_, index) => `${id}/m${index}`);
    return fc
      .record({
        concurrency: fc.option(fc.integer({ min: 1, max: 8 })),
        lanes: fc.tuple(...laneIds.map((laneId) => anyLane(laneId, id))),
        limits: fc.tuple(...[id, ...laneIds].map((scope) => fc.array(anyLimit(scope), { maxLength: 2 }))),
      })
      .map(({ concurrency, lanes, limits }) => ({
        provider: { id, concurrency },
        lanes,
        limits: limits.flat(),
      }));
  });

const anyOffers = fc
  .integer({ min: 1, max: 5 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => anyOffer(`p${index}`))));

const anyRoute = (id: number, laneIds: readonly string[]): fc.Arbitrary<PlanRoute> =>
  fc.record({
    id: fc.constant(id),
    batchId: fc.constantFrom(1, 2),
    priority: fc.constantFrom(0, 0, 5),
    laneIds: fc.shuffledSubarray([...laneIds]),
  });

/** Bands of prompts from none to some 200,000 tokens. */
const LARGEST_BAND = 53;

/** Cells of these routes: one of a route, cap and band. */
export const anyCells = (routeIds: readonly number[]): fc.Arbitrary<readonly BacklogCell[]> =>
  fc.uniqueArray(
    fc
      .record({
        routeId: fc.constantFrom(...routeIds),
        outputIsAsked: fc.boolean(),
        capTokens: fc.constantFrom(16, 200, 1_024, 4_000),
        band: fc
          .integer({ min: 0, max: LARGEST_BAND })
          .filter((one) => bandRange(one).toTokens >= bandRange(one).fromTokens),
        count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 400 })),
        mean: hundredths(0, 1),
      })
      .map(({ band, mean, ...cell }) => {
        const { fromTokens, toTokens } = bandRange(band);
        const promptTokens = Math.round(cell.count * (fromTokens + mean * (toTokens - fromTokens)));
        return { ...cell, fromTokens, toTokens, largestTokens: toTokens, promptTokens };
      }),
    {
      minLength: 1,
      maxLength: 8,
      selector: (cell) => [cell.routeId, cell.outputIsAsked, cell.capTokens, cell.fromTokens].join(' '),
    },
  );

/** What answers came to, of two batches. */
export const anyTallies: fc.Arbitrary<readonly AnswerTally[]> = fc.uniqueArray(
  fc
    .record({
      batchId: fc.constantFrom(1, 2),
      band: fc.integer({ min: 0, max: LARGEST_BAND }),
      answers: fc.integer({ min: 1, max: 500 }),
      mean: hundredths(0, 6_000),
    })
    .map(({ mean, ...tally }) => ({ ...tally, tokens: Math.round(tally.answers * mean) })),
  { maxLength: 4, selector: ({ batchId, band }) => `${batchId} ${band}` },
);

/** Any situation of up to 5 providers with up to 3 lanes each. */
export const anySituation: fc.Arbitrary<Situation> = anyOffers.chain((offers) => {
  const lanes = offers.flatMap((offer) => offer.lanes);
  const laneIds = lanes.map(({ id }) => id);
  return fc.integer({ min: 1, max: 4 }).chain((count) => {
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    return fc
      .record({
        routes: fc.tuple(...ids.map((id) => anyRoute(id, laneIds))),
        cells: anyCells(ids),
        answers: anyTallies,
      })
      .map((backlog) => ({
        nowMs: NOW_MS,
        ...backlog,
        lanes,
        providers: offers.map(({ provider }) => provider),
        limits: offers.flatMap(({ limits }) => limits),
      }));
  });
});
