import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLeastPossible } from '../../scripts/night/least-possible.ts';
import {
  DAY_MS,
  daily,
  fixed,
  HOUR_MS,
  MINUTE_MS,
  refill,
  rolling,
  session,
} from '../../scripts/night/limits.ts';
import type { Night, NightDocument } from '../../scripts/night/night.ts';
import { makeNight } from '../../scripts/night/nights.ts';
import { alikeDocuments, laneOf, nightOf } from './a-night.ts';

const solver = await openLeastPossible();

/** What the answer is short of the truth by, as a share of it; infinite if it is beyond it, which no lower bound may be. */
const missedShare = (night: Night, trueMs: number): number => {
  const { leastMs } = solver.leastPossible(night);
  return leastMs > trueMs ? Number.POSITIVE_INFINITY : 1 - leastMs / trueMs;
};

/** The search ends within a thousandth. */
const TOLERANCE = 0.0015;

test('one lane of 10 requests a minute takes two minutes and a call for 30 documents', () => {
  const night = nightOf([laneOf('a', { limits: [rolling('requests', 10)] })], alikeDocuments(30, 100));
  expect(missedShare(night, 2 * MINUTE_MS + 1_000)).toBeLessThan(TOLERANCE);
});

test('a lane that makes one call at a time takes as long as its calls, one after the other', () => {
  const night = nightOf([laneOf('a', { concurrency: 1, callMs: 7_000 })], alikeDocuments(100, 100));
  expect(missedShare(night, 700_000)).toBeLessThan(TOLERANCE);
});

test('a bucket starts full and is left to fill for the rest', () => {
  const night = nightOf([laneOf('a', { limits: [refill('tokens', 6_000)] })], alikeDocuments(50, 300));
  // 15,000 tokens: 6,000 at once, 9,000 in a minute and a half.
  expect(missedShare(night, 90_000 + 1_000)).toBeLessThan(TOLERANCE);
});

test('two lanes share the documents so that both are done at the same time', () => {
  const slow = laneOf('slow', { concurrency: 1, callMs: 3_000 });
  const fast = laneOf('fast', { concurrency: 1, callMs: 1_000 });
  expect(missedShare(nightOf([slow, fast], alikeDocuments(400, 100)), 300_000)).toBeLessThan(TOLERANCE);
});

test('large documents go where requests are scarce, and small ones where tokens are', () => {
  const requests = laneOf('requests', { limits: [rolling('requests', 1)] });
  const tokens = laneOf('tokens', { limits: [rolling('tokens', 1_000)] });
  const documents = [...alikeDocuments(10, 1_000, 'large'), ...alikeDocuments(100, 100, 'small')];
  const { leastMs, lanes } = solver.leastPossible(nightOf([requests, tokens], documents));
  expect(Math.abs(leastMs - (9 * MINUTE_MS + 1_000))).toBeLessThan(1_000);
  expect(lanes.find(({ laneId }) => laneId === 'requests/model')?.tokens).toBeCloseTo(10_000, 0);
});

test('a day that ends within the night gives its requests twice', () => {
  const beforeMidnightMs = 3 * HOUR_MS;
  const startsAtMs = Date.UTC(2026, 10, 21, 8) - beforeMidnightMs;
  const lane = laneOf('a', { limits: [daily('requests', 50, 'America/Los_Angeles')] });
  const night = nightOf([lane], alikeDocuments(60, 100), { startsAtMs });
  expect(missedShare(night, beforeMidnightMs + 1_000)).toBeLessThan(TOLERANCE);
  expect(solver.mostDocumentsBy(night, beforeMidnightMs / 2)).toBe(50);
  expect(solver.mostDocumentsBy(night, DAY_MS)).toBe(60);
});

test('windows with an anchor end where they end, however late the night began in them', () => {
  const startsAtMs = Date.UTC(2026, 10, 20, 12, 50);
  const limit = fixed('requests', 5, { perMs: HOUR_MS, anchorAtMs: Date.UTC(2026, 0, 1) });
  expect(
    missedShare(
      nightOf([laneOf('a', { limits: [limit] })], alikeDocuments(11, 100), { startsAtMs }),
      70 * MINUTE_MS + 1_000,
    ),
  ).toBeLessThan(TOLERANCE);
});

test('a session opens with the first call', () => {
  const lane = laneOf('a', { limits: [session('requests', 5, 20 * MINUTE_MS)] });
  expect(missedShare(nightOf([lane], alikeDocuments(14, 100)), 40 * MINUTE_MS + 1_000)).toBeLessThan(
    TOLERANCE,
  );
});

test('of documents above a half of a window only one goes through it', () => {
  const lane = laneOf('a', { limits: [rolling('tokens', 1_000)] });
  expect(missedShare(nightOf([lane], alikeDocuments(20, 600)), 19 * MINUTE_MS + 1_000)).toBeLessThan(
    TOLERANCE,
  );
});

test('a provider that is dead for a while does nothing meanwhile', () => {
  const lane = laneOf('a', { concurrency: 1, callMs: 1_000 });
  const faults = [{ provider: 'a', kind: 'dead', fromMs: 100_000, untilMs: 500_000 }] as const;
  const { leastMs } = solver.leastPossible(nightOf([lane], alikeDocuments(300, 100), { faults }));
  // A call that had begun may last into it.
  expect(leastMs).toBeGreaterThan(698_000);
  expect(leastMs).toBeLessThanOrEqual(700_000);
});

test('failures by chance are left out', () => {
  const lane = laneOf('a', { concurrency: 1, callMs: 1_000 });
  const faults = [{ provider: '*', kind: 'http-500', probability: 0.5 }] as const;
  expect(missedShare(nightOf([lane], alikeDocuments(300, 100), { faults }), 300_000)).toBeLessThan(TOLERANCE);
});

test("a provider's limit holds for all of its lanes together", () => {
  const [one] = laneOf('a').models;
  if (one === undefined) throw new Error('Expected a model.');
  const tier = {
    ...laneOf('a'),
    limits: [rolling('requests', 10)],
    models: [one, { ...one, id: 'other' }],
  };
  expect(missedShare(nightOf([tier], alikeDocuments(30, 100)), 2 * MINUTE_MS + 1_000)).toBeLessThan(
    TOLERANCE,
  );
});

test('documents that no lane would ever serve are counted, and not waited for', () => {
  const lane = laneOf('a', { concurrency: 1, contextTokens: 500 });
  const documents = [...alikeDocuments(100, 400), ...alikeDocuments(3, 600, 'large')];
  const night = nightOf([lane], documents);
  expect(solver.leastPossible(night).fitNowhere).toBe(3);
  expect(missedShare(night, 100_000)).toBeLessThan(TOLERANCE);
});

const capped = (capTokens: number): readonly NightDocument[] =>
  alikeDocuments(10, 500).map((document) => ({ ...document, capTokens }));

test('a call is let in only where there is room for its cap', () => {
  const lane = laneOf('a', { limits: [rolling('tokens', 1_000)] });
  // The second of a window is charged with 450 and its cap, while the first has settled to 500.
  expect(missedShare(nightOf([lane], capped(50)), 4 * MINUTE_MS + 1_000)).toBeLessThan(TOLERANCE);
  expect(missedShare(nightOf([lane], capped(540)), 9 * MINUTE_MS + 1_000)).toBeLessThan(TOLERANCE);
  expect(solver.leastPossible(nightOf([lane], capped(560))).fitNowhere).toBe(10);
});

test('more time never means fewer documents, and the least possible time is where all of them are done', () => {
  const night = makeNight({ shape: 'token-bound', seed: 3, scale: 0.1 });
  const { leastMs } = solver.leastPossible(night);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), (tenths) => {
      const [less, more] = [(tenths / 10) * leastMs, ((tenths + 1) / 10) * leastMs];
      const [few, many] = [solver.mostDocumentsBy(night, less), solver.mostDocumentsBy(night, more)];
      expect(few).toBeLessThanOrEqual(many);
      expect(few < night.documents.length).toBe(tenths <= 10);
    }),
    { numRuns: 8 },
  );
});
