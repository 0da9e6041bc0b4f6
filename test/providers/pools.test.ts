import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Limit } from '../../src/core/model.ts';
import { CATALOG, CATALOG_POOLS } from '../../src/providers/catalog.ts';
import type {
  CatalogLimit,
  CatalogModel,
  CatalogProvider,
  Confidence,
} from '../../src/providers/catalog-provider.ts';
import { documentsPerDay } from '../../src/providers/documents-per-day.ts';
import { listedByUser } from '../../src/providers/listed-by-user.ts';
import { poolsOf } from '../../src/providers/pools.ts';

describe('documents a day', () => {
  test.each<[string, Limit, number]>([
    [
      'calls of a minute',
      { metric: 'requests', amount: 2, window: { kind: 'rolling', perMs: 60_000 } },
      2_880,
    ],
    [
      'tokens of a day',
      { metric: 'tokens', amount: 200_000, window: { kind: 'refill', perMs: 86_400_000 } },
      86,
    ],
    [
      'input tokens',
      { metric: 'inputTokens', amount: 15_000, window: { kind: 'rolling', perMs: 60_000 } },
      10_800,
    ],
    ['output tokens', { metric: 'outputTokens', amount: 3_000, window: utc('day') }, 10],
    ['calls of a week', { metric: 'requests', amount: 70, window: utc('week') }, 10],
    ['calls of a month', { metric: 'requests', amount: 1_000, window: utc('month') }, 33],
    [
      'calls of a session',
      { metric: 'requests', amount: 50, window: { kind: 'session', perMs: 18_000_000 } },
      240,
    ],
    ['units', { metric: 'units', amount: 10_000, window: utc('day') }, 534],
  ])('%s', (_, limit, expected) => {
    expect(documentsPerDay([limit], { input: 4.119, output: 34.868 })).toBe(expected);
  });

  test('the tightest limit decides, and without one nothing does', () => {
    const limits = [30, 20, 40].map(
      (amount) => ({ metric: 'requests', amount, window: utc('day') }) as const,
    );
    expect(documentsPerDay(limits)).toBe(20);
    expect(documentsPerDay([])).toBe(Infinity);
  });
});

describe('the pools', () => {
  const confidence = fc.constantFrom<Confidence>('high', 'medium', 'low');
  const model = fc.record({
    id: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
    amount: fc.integer({ min: 1, max: 4 }),
    confidence,
    suits: fc.subarray(['small', 'large'] as const),
  });
  const catalog = fc
    .uniqueArray(model, { selector: ({ id }) => id, maxLength: 8 })
    .chain((models) =>
      fc.shuffledSubarray(models, { minLength: models.length }).map((shuffled) => ({ models, shuffled })),
    );

  test('do not depend on the order of the catalog, and hold each model that suits them', () => {
    fc.assert(
      fc.property(catalog, ({ models, shuffled }) => {
        const pools = poolsOf([providerWith(models.map(toModel))]);
        expect(poolsOf([providerWith(shuffled.map(toModel))])).toEqual(pools);
        for (const { name, laneIds } of pools) {
          const suited = models.filter(({ suits }) => suits.some((purpose) => purpose === name));
          expect(laneIds.toSorted()).toEqual(suited.map(({ id }) => `p/${id}`).toSorted());
        }
      }),
    );
  });

  test('put first what gives more, then what is known better, then the earlier id', () => {
    const models = [
      { id: 'd', amount: 9, confidence: 'low', suits: ['small'] },
      { id: 'c', amount: 9, confidence: 'high', suits: ['small'] },
      { id: 'b', amount: 9, confidence: 'high', suits: ['small'] },
      { id: 'a', amount: 10, confidence: 'low', suits: ['small'] },
    ] as const;
    const [small] = poolsOf([providerWith(models.map(toModel))]);
    expect(small?.laneIds).toEqual(['p/a', 'p/b', 'p/c', 'p/d']);
  });

  test('put trials last, however much their rates allow', () => {
    const plenty = toModel({ id: 'a', amount: 99, confidence: 'high', suits: ['large'] });
    const little = toModel({ id: 'b', amount: 1, confidence: 'low', suits: ['large'] });
    const trial: CatalogProvider = { ...providerWith([plenty]), id: 'trial', tier: 'trial' };
    expect(poolsOf([trial, providerWith([little])])[1]?.laneIds).toEqual(['p/b', 'trial/a']);
  });

  test('hold only what is free or a trial', () => {
    const tiers = new Map<string, string>(CATALOG.map(({ id, tier }) => [id, tier]));
    const laneIds = CATALOG_POOLS.flatMap((pool) => pool.laneIds);
    const others = laneIds.filter((id) => !/^(free|trial)$/.test(tiers.get(id.split('/')[0] ?? '') ?? ''));
    expect(others).toEqual([]);
    expect(CATALOG_POOLS.every((pool) => pool.laneIds.length > 10)).toBe(true);
  });
});

interface ModelSketch {
  readonly id: string;
  readonly amount: number;
  readonly confidence: Confidence;
  readonly suits: CatalogModel['suits'];
}

function toModel({ id, amount, confidence, suits }: ModelSketch): CatalogModel {
  const evidence = { source: 's', confidence } as const;
  const limit: CatalogLimit = { metric: 'requests', amount, window: utc('day'), ...evidence };
  return { id, model: id, contextTokens: 2, maxOutputTokens: 1, limits: [limit], suits, ...evidence };
}

function providerWith(models: readonly CatalogModel[]): CatalogProvider {
  const entry = listedByUser({
    id: 'p',
    name: 'P',
    tier: 'free',
    baseUrl: 'https://p.example/v1',
    apiKeyEnv: 'P_KEY',
    howToStart: 'Ask.',
    terms: 'None.',
    sources: {},
  });
  return { ...entry, models };
}

function utc(unit: 'day' | 'week' | 'month') {
  return { kind: 'calendar', unit, timeZone: 'UTC' } as const;
}
