import { expect, test } from 'vitest';
import { lanesOf, mayEverServe } from '../../scripts/night/least-possible/night-lanes.ts';
import { readNight, writeNight } from '../../scripts/night/night-file.ts';
import { isShapeName, makeNight, SHAPES } from '../../scripts/night/nights.ts';
import { checkTiers } from '../../src/simulator/check-tiers.ts';

const shapes = Object.keys(SHAPES).filter(isShapeName);

test('the same seed gives the same night, and another one another', () => {
  for (const shape of shapes) {
    expect(makeNight({ shape, seed: 4, scale: 0.2 })).toEqual(makeNight({ shape, seed: 4, scale: 0.2 }));
    const [four, five] = [4, 5].map((seed) => makeNight({ shape, seed, scale: 0.2 }));
    expect(four?.tiers).not.toEqual(five?.tiers);
  }
});

test('the faultless variant has the tiers and the documents of the other, and no faults', () => {
  for (const shape of shapes) {
    const night = makeNight({ shape, seed: 2, scale: 0.1 });
    expect(night.faults.length).toBeGreaterThan(0);
    expect(makeNight({ shape, seed: 2, scale: 0.1, faultless: true })).toEqual({ ...night, faults: [] });
  }
});

test.each(shapes)(
  'a night of shape %s can be simulated, and its largest documents have several lanes',
  (shape) => {
    for (const seed of [1, 2, 3]) {
      const night = makeNight({ shape, seed });
      expect(() => checkTiers(night.tiers)).not.toThrow();
      const lanes = lanesOf(night);
      const eligible = night.documents.map(
        (document) => lanes.filter((lane) => mayEverServe(lane, document)).length,
      );
      expect(Math.min(...eligible)).toBeGreaterThan(1);
      expect(Math.min(...eligible) < lanes.length).toBe(shape !== 'alike');
    }
  },
);

test('the mixed night has nine providers or more, every kind of window, and 4,500 documents', () => {
  const { tiers, documents } = makeNight({ shape: 'mixed', seed: 1 });
  const limits = tiers.flatMap((tier) => [...tier.limits, ...tier.models.flatMap((model) => model.limits)]);
  expect(tiers.length).toBeGreaterThanOrEqual(9);
  expect(new Set(limits.map(({ window }) => window.kind))).toEqual(
    new Set(['rolling', 'refill', 'fixed', 'calendar', 'session']),
  );
  expect(limits.some(({ metric }) => metric === 'units')).toBe(true);
  expect(documents.length).toBe(4_500);
  expect(Math.min(...documents.map(({ promptTokens }) => promptTokens))).toBeGreaterThanOrEqual(60);
  expect(Math.max(...documents.map(({ promptTokens }) => promptTokens))).toBeGreaterThan(30_000);
});

test('a night of free tiers has nine of thirteen, and 3,500 to 5,000 documents up to 40,000 tokens', () => {
  const nights = Array.from({ length: 20 }, (_, index) =>
    makeNight({ shape: 'free-tiers', seed: index + 1 }),
  );
  const names = nights.map(({ tiers }) => new Set(tiers.map(({ id }) => id)));
  expect(new Set(names.map(({ size }) => size))).toEqual(new Set([9]));
  expect(new Set(names.flatMap((each) => [...each])).size).toBe(13);
  for (const { tiers, documents, faults } of nights) {
    expect(documents.length).toBeGreaterThanOrEqual(3_500);
    expect(documents.length).toBeLessThanOrEqual(5_000);
    expect(Math.min(...documents.map(({ promptTokens }) => promptTokens))).toBeGreaterThanOrEqual(60);
    expect(Math.max(...documents.map(({ promptTokens }) => promptTokens))).toBeLessThanOrEqual(40_000);
    expect(tiers.map(({ id }) => id)).toContain(faults.find(({ kind }) => kind === 'dead')?.provider);
  }
});

test('a night that is written to a file is read as it was', () => {
  for (const shape of shapes) {
    const night = makeNight({ shape, seed: 3, scale: 0.05 });
    expect(readNight(writeNight(night))).toEqual(night);
  }
});

test('a file that holds no night is refused with the members that are wrong', () => {
  const night = { ...makeNight({ shape: 'alike', seed: 1, scale: 0.05 }), startsAtMs: 'soon' };
  expect(() => readNight(JSON.stringify(night))).toThrow('startsAtMs');
});
