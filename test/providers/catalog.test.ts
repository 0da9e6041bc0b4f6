import { describe, expect, test } from 'vitest';
import { CATALOG, CATALOG_ALIASES, CATALOG_POOLS, catalogProvider } from '../../src/providers/catalog.ts';
import type { CatalogModel, CatalogProvider } from '../../src/providers/catalog-provider.ts';
import { CATALOG_PRICES } from '../../src/providers/prices.ts';
import { RETIRED, retiredProvider } from '../../src/providers/retired.ts';
import { LEFT_OUT, LISTED } from './listed-providers.ts';

const LANE_IDS = CATALOG.flatMap(({ id, models }) => models.map((model) => `${id}/${model.id}`));
const DAY = /^20\d\d-\d\d-\d\d$/;
const LATEST = Date.parse('2026-11-20');

describe('what the sources list', () => {
  test.each(Object.keys(LISTED))(
    'the provider %s is in the catalog, retired, or left out for a reason',
    (id) => {
      const places = [catalogProvider(id), retiredProvider(id), LEFT_OUT[id]].filter(
        (place) => place !== undefined,
      );
      expect(places).toHaveLength(1);
    },
  );

  test.each(Object.entries(LISTED))('of %s every model is a lane, or left out for a reason', (id, models) => {
    const known = catalogProvider(id)?.models.map(({ model }) => model) ?? [];
    const missing = models.filter((model) => !known.includes(model));
    expect(missing.filter((model) => LEFT_OUT[`${id}/${model}`] === undefined)).toEqual([]);
    expect(known.filter((model) => !models.includes(model))).toEqual([]);
  });

  test('nothing stands in the catalog that they do not list', () => {
    const ids = [...CATALOG, ...RETIRED].map(({ id }) => id);
    expect(ids.filter((id) => LISTED[id] === undefined)).toEqual([]);
  });
});

describe('every provider of the catalog', () => {
  test('has an id of its own', () => {
    const ids = [...CATALOG, ...RETIRED].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('shares its key variable at most with another service of the same vendor', () => {
    const shared = Map.groupBy(
      CATALOG.filter(({ apiKeyEnv }) => apiKeyEnv !== undefined),
      ({ apiKeyEnv }) => apiKeyEnv,
    );
    const several = [...shared].filter(([, providers]) => providers.length > 1);
    expect(new Set(several.map(([name]) => name))).toEqual(new Set(['OLLAMA_API_KEY', 'OPENROUTER_API_KEY']));
  });

  test.each(CATALOG)(
    '$id has an address that can be called once its placeholders are filled',
    ({ baseUrl }) => {
      const url = new URL(baseUrl.replaceAll(/\{[A-Z][A-Z0-9_]*\}/g, 'x'));
      expect(url.protocol).toBe(url.hostname === '127.0.0.1' ? 'http:' : 'https:');
      expect(baseUrl).not.toMatch(/\/$/);
    },
  );

  test.each(CATALOG)('$id is asked about a key at its own address only', ({ baseUrl, keyCheck }) => {
    const filled = baseUrl.replaceAll(/\{[A-Z][A-Z0-9_]*\}/g, 'x');
    const asked = new URL(`${filled}${keyCheck?.path ?? ''}`);
    expect(asked.origin).toBe(new URL(filled).origin);
    expect(keyCheck?.path ?? '/').toMatch(/^\//);
  });

  test.each([...CATALOG, ...RETIRED])('$id names sources, each with an address and a date', ({ sources }) => {
    expect(Object.keys(sources).length).toBeGreaterThan(0);
    for (const source of Object.values(sources)) {
      expect(source.url).toMatch(/^https:\/\//);
      expect(source.date).toMatch(DAY);
      expect(Date.parse(source.date)).toBeLessThanOrEqual(LATEST);
    }
  });

  test.each(CATALOG)('$id backs each figure with one of its sources', (provider) => {
    const unknown = figuresOf(provider).filter(({ source }) => !Object.hasOwn(provider.sources, source));
    expect(unknown).toEqual([]);
  });

  test.each(CATALOG)('$id says why it trusts a figure little', (provider) => {
    const doubted = figuresOf(provider).filter(({ confidence }) => confidence === 'low');
    expect(doubted.filter(({ note, altFigures }) => note === undefined && altFigures === undefined)).toEqual(
      [],
    );
  });

  test.each(CATALOG)('$id uses the lowest figure where sources disagree', (provider) => {
    for (const { amount, altFigures = [] } of limitsOf(provider)) {
      expect(Math.min(amount, ...altFigures.map((alternative) => alternative.amount))).toBe(amount);
    }
  });

  test.each(CATALOG)('$id has whole, positive limits and sizes that fit each other', (provider) => {
    for (const { amount } of limitsOf(provider))
      expect(Number.isSafeInteger(amount) && amount > 0).toBe(true);
    for (const { contextTokens, maxOutputTokens } of provider.models) {
      expect(maxOutputTokens).toBeGreaterThan(0);
      expect(maxOutputTokens).toBeLessThanOrEqual(contextTokens);
    }
  });

  test.each(CATALOG)('$id says how to start, what the terms ask and what becomes of the data', (provider) => {
    for (const sentence of [provider.howToStart, provider.terms, provider.dataNote, ...provider.notes]) {
      expect(sentence).toMatch(/^\S.*\.$/);
    }
  });

  test.each(CATALOG)('$id names regions by two upper-case letters, or none', ({ regions }) => {
    expect(regions === null || (regions.length > 0 && regions.every((code) => /^[A-Z]{2}$/.test(code)))).toBe(
      true,
    );
  });

  test.each(CATALOG.filter(({ tier, models }) => tier !== 'local' && models.length > 0))(
    '$id is bounded: each lane has a limit',
    (provider) => {
      for (const { limits } of provider.models) expect([...provider.limits, ...limits]).not.toEqual([]);
    },
  );

  test.each(CATALOG)('$id has a cost for each model where a limit counts units', ({ limits, models }) => {
    const counts = (model: CatalogModel) =>
      [...limits, ...model.limits].some(({ metric }) => metric === 'units');
    expect(models.filter((model) => counts(model) !== (model.unitCost !== undefined))).toEqual([]);
  });
});

test('every price is exact in billionths of a dollar, and answers cost no less than prompts', () => {
  expect(CATALOG_PRICES.map(({ name }) => name)).toContain('openai/gpt-4o-mini');
  for (const { price } of CATALOG_PRICES) {
    expect(price.inputNanoDollarsPerMillion).toBeGreaterThan(0);
    expect(Number.isSafeInteger(price.inputNanoDollarsPerMillion)).toBe(true);
    expect(price.outputNanoDollarsPerMillion).toBeGreaterThanOrEqual(price.inputNanoDollarsPerMillion);
  }
});

test('what costs money from the first call has no model in the catalog', () => {
  expect(CATALOG.filter(({ tier, models }) => tier === 'paid' && models.length > 0)).toEqual([]);
});

test.each(RETIRED)('$id, retired, has nothing that could be called', (retired) => {
  expect(catalogProvider(retired.id)).toBeUndefined();
  expect(Object.keys(retired).toSorted()).toEqual(['id', 'name', 'reason', 'retiredOn', 'sources', 'status']);
  expect(retired.retiredOn === null || DAY.test(retired.retiredOn)).toBe(true);
  expect(retired.reason).toMatch(/^\S.*\.$/);
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

describe("Cloudflare's models", () => {
  test('share one day of neurons, each at its own cost', () => {
    const cloudflare = catalogProvider('cloudflare');
    expect(cloudflare?.limits.map(({ metric, amount }) => [metric, amount])).toEqual([
      ['requests', 300],
      ['units', 10_000],
    ]);
    expect(cloudflare?.models).toHaveLength(10);
    expect(cloudflare?.models[0]).toMatchObject({
      unitCost: { input: 4.119, output: 34.868 },
      prices: { input: 0.045, output: 0.384 },
    });
  });
});

function limitsOf({ limits, models }: CatalogProvider) {
  return [...limits, ...models.flatMap((model) => model.limits)];
}

function figuresOf(provider: CatalogProvider) {
  const concurrency = [provider, ...provider.models].flatMap((owner) => owner.concurrency ?? []);
  return [...limitsOf(provider), ...provider.models, ...concurrency, ...Object.values(provider.prices ?? {})];
}
