import { describe, expect, test } from 'vitest';
import { CATALOG, CATALOG_ALIASES, CATALOG_POOLS, catalogProvider } from '../../src/providers/catalog.ts';
import { CLOUDFLARE, NEURONS_PER_DAY, NEURONS_PER_MILLION } from '../../src/providers/cloudflare.ts';

const LANE_IDS = CATALOG.flatMap(({ id, models }) => models.map((model) => `${id}/${model.id}`));

describe('every provider of the catalog', () => {
  test('has an id of its own, a key variable of its own and an address of its own', () => {
    for (const field of ['id', 'apiKeyEnv', 'baseUrl'] as const) {
      const values = CATALOG.map((provider) => provider[field]);
      expect(new Set(values).size).toBe(values.length);
    }
  });

  test.each(CATALOG)('$id names sources, each with an address and a date', ({ sources }) => {
    expect(Object.keys(sources).length).toBeGreaterThan(0);
    for (const source of Object.values(sources)) {
      expect(source.url).toMatch(/^https:\/\//);
      expect(source.date).toMatch(/^20\d\d-\d\d-\d\d$/);
      expect(Date.parse(source.date)).toBeLessThanOrEqual(Date.parse('2026-11-20'));
    }
  });

  test.each(CATALOG)('$id backs each figure with one of its sources', ({ sources, limits, models }) => {
    const figures = [...limits, ...models, ...models.flatMap((model) => model.limits)];
    expect(figures.filter(({ source }) => !Object.hasOwn(sources, source))).toEqual([]);
  });

  test.each(CATALOG)('$id uses the lowest figure where sources disagree', ({ limits, models }) => {
    for (const { amount, altFigures } of [...limits, ...models.flatMap((model) => model.limits)]) {
      expect(Math.min(amount, ...(altFigures ?? []).map((alternative) => alternative.amount))).toBe(amount);
    }
  });

  test.each(CATALOG)('$id has whole, positive limits and sizes that fit each other', ({ limits, models }) => {
    for (const { amount } of [...limits, ...models.flatMap((model) => model.limits)]) {
      expect(Number.isSafeInteger(amount) && amount > 0).toBe(true);
    }
    for (const { contextTokens, maxOutputTokens } of models) {
      expect(maxOutputTokens).toBeGreaterThan(0);
      expect(maxOutputTokens).toBeLessThanOrEqual(contextTokens);
    }
  });

  test.each(CATALOG)('$id says how to start, what the terms ask and what becomes of the data', (provider) => {
    for (const sentence of [provider.howToStart, provider.terms, provider.dataNote, ...provider.notes]) {
      expect(sentence).toMatch(/^\S.*\.$/);
    }
  });

  test.each(CATALOG.filter(({ tier }) => tier === 'free'))(
    '$id is bounded: each lane has a limit',
    (provider) => {
      for (const { limits } of provider.models) expect([...provider.limits, ...limits]).not.toEqual([]);
    },
  );
});

describe('lanes, pools and aliases of the catalog', () => {
  test('a lane id splits at its first slash into provider and model', () => {
    for (const laneId of LANE_IDS) {
      const [providerId = '', ...model] = laneId.split('/');
      expect(catalogProvider(providerId)?.models.some(({ id }) => id === model.join('/'))).toBe(true);
    }
    expect(new Set(LANE_IDS).size).toBe(LANE_IDS.length);
  });

  test.each(CATALOG_POOLS)('the pool $name lists lanes that exist, each once', ({ laneIds }) => {
    expect(laneIds.filter((id) => !LANE_IDS.includes(id))).toEqual([]);
    expect(new Set(laneIds).size).toBe(laneIds.length);
  });

  test('aliases lead to pools', () => {
    const pools = CATALOG_POOLS.map(({ name }) => name);
    expect(Object.values(CATALOG_ALIASES).filter((target) => !pools.includes(target))).toEqual([]);
  });
});

test("Cloudflare's tokens of a day never cost more neurons than the day has, and nearly all of them", () => {
  const neurons =
    (cloudflareAmount('inputTokens') * NEURONS_PER_MILLION.input) / 1e6 +
    (cloudflareAmount('outputTokens') * NEURONS_PER_MILLION.output) / 1e6;
  expect(neurons).toBeLessThanOrEqual(NEURONS_PER_DAY);
  expect(neurons).toBeGreaterThan(0.99 * NEURONS_PER_DAY);
  expect(CLOUDFLARE.models).toHaveLength(1);
});

function cloudflareAmount(metric: string): number {
  return CLOUDFLARE.limits.find((limit) => limit.metric === metric)?.amount ?? 0;
}
