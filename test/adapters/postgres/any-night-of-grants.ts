/** Nights of every kind, small enough to be played on a real record: lanes, limits, batches, and what becomes of calls. */
import fc from 'fast-check';
import type { Lane, Limit, Window } from '../../../src/core/model.ts';
import { aLane } from '../../app/fakes.ts';

export const START_MS = Date.UTC(2026, 10, 20, 12, 3, 20);
export const LANE_IDS = ['alpha/one', 'alpha/two', 'beta/one'] as const;
/** Every answer may take as much. */
export const CAP_TOKENS = 10;
const LARGEST_TOKENS = 2_000;

/** What becomes of a call: `lost` is its worker's death, the others are told by it; one that closes its lane is made again. */
export type Outcome = 'succeeded' | 'elsewhere' | 'again' | 'closing' | 'failed' | 'lost';

/** A night before it begins. */
export interface NightOfGrants {
  readonly lanes: readonly Lane[];
  readonly providerLimits: readonly Limit[];
  readonly batches: readonly {
    readonly atMs: number;
    readonly priority: number;
    readonly laneIds: readonly string[];
    readonly prompts: readonly number[];
  }[];
  /** Lanes that somebody stops for a while. */
  readonly pauses: readonly { readonly laneId: string; readonly atMs: number; readonly forMs: number }[];
  /** How often a plan is made; `null`: never. */
  readonly planEveryMs: number | null;
  /** From grant to begin. */
  readonly beginMs: number;
  readonly calls: readonly { readonly ms: number; readonly outcome: Outcome }[];
}

/** Mostly those in which a large request waits and a small one may go first. */
const someWindow: fc.Arbitrary<Window> = fc.constantFrom<Window>(
  { kind: 'rolling', perMs: 60_000 },
  { kind: 'rolling', perMs: 60_000 },
  { kind: 'rolling', perMs: 200_000 },
  { kind: 'refill', perMs: 60_000 },
  { kind: 'fixed', perMs: 300_000, anchorAtMs: START_MS - 100_000 },
);

/** Every request fits every window when it is empty. */
const someLimit: fc.Arbitrary<Limit> = fc
  .record({
    window: someWindow,
    isRequests: fc.constantFrom(true, false, false),
    size: fc.integer({ min: 0, max: 8 }),
  })
  .map(({ window, isRequests, size }) =>
    isRequests
      ? { metric: 'requests', amount: 2 + size, window }
      : { metric: 'tokens', amount: LARGEST_TOKENS + CAP_TOKENS + size * 250, window },
  );

const someLimits = fc.uniqueArray(someLimit, {
  minLength: 1,
  maxLength: 2,
  selector: ({ metric, window }) => `${metric} ${JSON.stringify(window)}`,
});

const somePrompts = fc.array(
  fc.oneof(fc.integer({ min: 10, max: 300 }), fc.integer({ min: 10, max: LARGEST_TOKENS })),
  { minLength: 3, maxLength: 12 },
);

/** Any night. */
export const someNight: fc.Arbitrary<NightOfGrants> = fc.record({
  lanes: fc.tuple(
    ...LANE_IDS.map((id) =>
      fc
        .record({ limits: someLimits, concurrency: fc.integer({ min: 2, max: 6 }) })
        .map((differences) => aLane(id, { ...differences, tokenRatio: 1 })),
    ),
  ),
  providerLimits: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: someLimits }),
  batches: fc.array(
    fc.record({
      atMs: fc.constantFrom(0, 0, 7_000, 45_000),
      priority: fc.constantFrom(0, 0, 1),
      laneIds: fc.shuffledSubarray([...LANE_IDS], { minLength: 1 }),
      prompts: somePrompts,
    }),
    { minLength: 1, maxLength: 3 },
  ),
  pauses: fc.array(
    fc.record({
      laneId: fc.constantFrom(...LANE_IDS),
      atMs: fc.constantFrom(0, 1_000, 10_000),
      forMs: fc.integer({ min: 1_000, max: 60_000 }),
    }),
    { maxLength: 2 },
  ),
  planEveryMs: fc.constantFrom(null, 2_000, 2_000, 30_000),
  beginMs: fc.constantFrom(0, 0, 400),
  calls: fc.array(
    fc.record({
      ms: fc.oneof(fc.integer({ min: 300, max: 4_000 }), fc.integer({ min: 300, max: 60_000 })),
      outcome: fc.constantFrom<Outcome>(
        ...([
          'succeeded',
          'succeeded',
          'succeeded',
          'elsewhere',
          'again',
          'closing',
          'failed',
          'lost',
        ] as const),
      ),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});
