/** Small nights of every kind, for properties: three lanes of a provider each, with up to three limits and a shared one. */
import fc from 'fast-check';
import { lanesOf, mayEverServe } from '../../scripts/night/least-possible/night-lanes.ts';
import type { Night } from '../../scripts/night/night.ts';
import type { SimulatedLimit, SimulatedTier, SimulatedWindow } from '../../src/simulator/tier.ts';
import { laneOf, nightOf } from './a-night.ts';

/** A minute before midnight in Los Angeles. */
const STARTS_AT_MS = Date.UTC(2026, 10, 21, 7, 59);

const anyWindow: fc.Arbitrary<SimulatedWindow> = fc.oneof(
  fc.constantFrom<SimulatedWindow>(
    { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' },
    { kind: 'fixed', perMs: 90_000, anchorAtMs: STARTS_AT_MS - 40_000 },
  ),
  fc.record({
    kind: fc.constantFrom('rolling' as const, 'refill' as const, 'session' as const),
    perMs: fc.constantFrom(10_000, 60_000, 150_000),
  }),
);

const anyLimit: fc.Arbitrary<SimulatedLimit> = fc.oneof(
  fc.record({
    metric: fc.constant('requests' as const),
    amount: fc.integer({ min: 1, max: 20 }),
    window: anyWindow,
  }),
  fc.record({
    metric: fc.constantFrom('tokens' as const, 'inputTokens' as const),
    amount: fc.integer({ min: 500, max: 3_000 }),
    window: anyWindow,
  }),
);

const anyTier = (id: string): fc.Arbitrary<SimulatedTier> =>
  fc
    .record({
      limits: fc.array(anyLimit, { maxLength: 3 }),
      callMs: fc.integer({ min: 500, max: 20_000 }),
      concurrency: fc.integer({ min: 1, max: 4 }),
      shared: fc.array(anyLimit, { maxLength: 1 }),
    })
    .map(({ shared, ...lane }) => ({ ...laneOf(id, lane), limits: shared }));

/** Any night whose documents all fit some lane. */
export const anyNight: fc.Arbitrary<Night> = fc
  .record({
    tiers: fc.tuple(anyTier('a'), anyTier('b'), anyTier('c')),
    sizes: fc.array(
      fc.record({
        promptTokens: fc.integer({ min: 20, max: 400 }),
        answerTokens: fc.integer({ min: 1, max: 40 }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ tiers, sizes }) =>
    nightOf(
      tiers,
      sizes.map((size, index) => ({ id: `d${index}`, capTokens: 60, ...size })),
      { startsAtMs: STARTS_AT_MS },
    ),
  )
  .filter((night) =>
    night.documents.every((document) => lanesOf(night).some((lane) => mayEverServe(lane, document))),
  );
