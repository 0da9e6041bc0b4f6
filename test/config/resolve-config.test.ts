import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Limit } from '../../src/core/model.ts';
import { CATALOG, CATALOG_ALIASES } from '../../src/providers/catalog.ts';
import { CONTRACT_EXAMPLE } from './contract-example.ts';
import { ALL_KEYS, homeWith, resolve } from './resolve.ts';

describe('the example of the contract', () => {
  const config = resolve(CONTRACT_EXAMPLE);

  test('switches exactly its three providers on', () => {
    expect(config.providers.map(({ id }) => id)).toEqual(['groq', 'gemini', 'home']);
  });

  test('resolves its own provider in full', () => {
    expect(config.providers[2]).toEqual({
      id: 'home',
      baseUrl: 'http://127.0.0.1:8080/v1',
      apiKeyEnv: 'HOME_LLM_KEY',
      tier: 'local',
      trainsOnData: false,
      dialect: 'openai',
      concurrency: 8,
      limits: [
        {
          metric: 'requests',
          amount: 200,
          window: { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' },
        },
      ],
      refusesParameters: [],
      lanes: [
        {
          id: 'home/llama-8b',
          providerId: 'home',
          model: 'llama-8b',
          contextTokens: 131_072,
          maxOutputTokens: 8_192,
          concurrency: 4,
          timeoutMs: 120_000,
          tokenRatio: 1.25,
          limits: [
            { metric: 'requests', amount: 30, window: { kind: 'rolling', perMs: 60_000 } },
            { metric: 'tokens', amount: 6_000, window: { kind: 'refill', perMs: 60_000 } },
            {
              metric: 'tokens',
              amount: 500_000,
              window: { kind: 'fixed', perMs: 86_400_000, anchorAtMs: Date.parse('2026-11-20T04:00:00Z') },
            },
          ],
        },
      ],
    });
  });

  test('reserves a fifth of every limit of Gemini, rounded down', () => {
    const lane = config.providers[1]?.lanes.find(({ id }) => id === 'gemini/gemini-3.5-flash-lite');
    expect(lane?.limits.map(({ amount }) => amount)).toEqual([12, 400, 200_000]);
  });

  test('names its pool and its alias, and keeps the others', () => {
    expect(config.pools.map(({ name }) => name)).toEqual(['small', 'large', 'private', 'all']);
    expect(config.pools[0]?.laneIds).toEqual(['groq/gpt-oss-20b', 'home/llama-8b']);
    expect(config.aliases[0]).toEqual({ name: 'gpt-4o-mini', target: 'small' });
    expect(config.aliases.map(({ name }) => name).toSorted()).toEqual(
      Object.keys(CATALOG_ALIASES).toSorted(),
    );
  });

  test('calls the local server without a key, and says so', () => {
    expect(config.keys.keyOf('home')).toBeUndefined();
    expect(config.warnings).toEqual([
      'The provider `home` is called without a key: HOME_LLM_KEY is not set.',
    ]);
  });

  test('names the model as the vendor does in the call, and shortly in the lane', () => {
    expect(config.providers[0]?.lanes[0]).toMatchObject({
      id: 'groq/gpt-oss-20b',
      model: 'openai/gpt-oss-20b',
    });
  });
});

describe('what is on', () => {
  test('without a file, every free provider of the catalog whose key is in the environment', () => {
    const free = CATALOG.filter(({ tier, apiKeyEnv }) => tier === 'free' && apiKeyEnv !== undefined);
    expect(resolve(null).providers.map(({ id }) => id)).toEqual(free.map(({ id }) => id));
    const one = resolve(null, { GROQ_API_KEY: ' key\n' });
    expect(one.providers.map(({ id }) => id)).toEqual(['groq']);
    expect(one.keys.keyOf('groq')).toBe('key');
    expect(one.warnings).toEqual([]);
  });

  test('with an empty `providers:`, the same as without a file', () => {
    expect(resolve('providers:\npools:\naliases:\n').providers).toEqual(resolve(null).providers);
    expect(resolve('').providers).toEqual(resolve(null).providers);
  });

  test('a named provider without its key is not on, and a warning says how to get one', () => {
    const config = resolve('providers:\n  groq:\n  gemini:\n', { GROQ_API_KEY: 'key' });
    expect(config.providers.map(({ id }) => id)).toEqual(['groq']);
    expect(config.unavailable).toMatchObject([{ providerId: 'gemini', kind: 'no-key' }]);
    expect(config.warnings[0]).toBe(
      'The provider `gemini` is not on: GEMINI_API_KEY is not set. Create a key at https://aistudio.google.com/apikey (a Google account is enough).',
    );
  });

  test('a key with a blank inside is refused without being shown', () => {
    const { unavailable, warnings } = resolve(null, { GROQ_API_KEY: 'k', GEMINI_API_KEY: 'top secret' });
    expect(unavailable.find(({ providerId }) => providerId === 'gemini')?.kind).toBe('bad-key');
    expect(warnings.join()).toContain('GEMINI_API_KEY');
    expect(JSON.stringify({ unavailable, warnings })).not.toContain('secret');
  });

  test('Cloudflare needs its account id, which goes into the address', () => {
    const environment = { GROQ_API_KEY: 'k', CLOUDFLARE_API_TOKEN: 't' };
    expect(resolve(null, environment).warnings).toEqual([
      'The provider `cloudflare` is not on: CLOUDFLARE_ACCOUNT_ID is not set: its address needs it.',
    ]);
    const config = resolve(null, { ...environment, CLOUDFLARE_ACCOUNT_ID: 'a/b' });
    expect(config.providers[1]?.baseUrl).toBe('https://api.cloudflare.com/client/v4/accounts/a%2Fb/ai/v1');
  });

  test('`enabled: false` and `false` for a model switch off without a warning', () => {
    const config = resolve(
      'providers:\n  gemini: { enabled: false }\n  groq: { models: { gpt-oss-120b: false, openai/gpt-oss-20b: false } }',
    );
    expect(config.providers.flatMap(({ lanes }) => lanes.map(({ id }) => id))).toEqual(['groq/qwen3.8-27b']);
    expect(config.unavailable.map(({ kind }) => kind)).toEqual(['switched-off']);
  });

  test('with no key at all the error says how to get one and offers the demo', () => {
    expect(resolveNothing).toThrow(/GROQ_API_KEY/);
    expect(resolveNothing).toThrow(/https:\/\/aistudio\.google\.com\/apikey/);
    expect(resolveNothing).toThrow(/npm run demo/);
    expect(() => resolve('providers:\n  groq: {}', {})).toThrow(/groq: GROQ_API_KEY is not set/);
    expect(() => resolve('providers: {}')).toThrow(/lists none/);
  });
});

describe("a user's figures win over the catalog's", () => {
  test('member by member for a provider and for its models', () => {
    const config = resolve(`providers:
  groq:
    timeout: 30s
    tier: paid
    models:
      gpt-oss-20b: { concurrency: 2, timeout: 10s }
      new-model: { model: vendor/new-model, contextTokens: 100, maxOutputTokens: 50 }
`);
    expect(config.providers[0]?.tier).toBe('paid');
    const lanes = config.providers[0]?.lanes ?? [];
    expect(lanes.map(({ id, concurrency, timeoutMs }) => [id, concurrency, timeoutMs])).toEqual([
      ['groq/gpt-oss-20b', 2, 10_000],
      ['groq/gpt-oss-120b', 8, 30_000],
      ['groq/qwen3.8-27b', 8, 30_000],
      ['groq/new-model', 8, 30_000],
    ]);
    expect(lanes[3]?.model).toBe('vendor/new-model');
  });

  test('a list of limits replaces the whole list, as after buying $10 at OpenRouter', () => {
    const config = resolve(
      'providers:\n  openrouter: { limits: [{ requests: 1000, per: 1d, window: calendar }] }',
    );
    expect(config.providers[0]?.limits).toEqual([
      { metric: 'requests', amount: 1_000, window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' } },
    ]);
  });
});

describe('calls under way at once, unless said', () => {
  test.each([
    ['local servers', '', 1],
    ['few calls a minute', '    limits: [{ requests: 3, per: 1m }]', 3],
    ['a call every half minute', '    limits: [{ requests: 1, per: 30s }]', 2],
    ['many calls a minute', '    limits: [{ requests: 300, per: 1m }]', 8],
    ['calls of a day only', '    limits: [{ requests: 3, per: 1d }]', 8],
  ])('%s', (name, limits, expected) => {
    const text = homeWith(limits);
    const config = resolve(name === 'local servers' ? text : text.replace('tier: local', 'tier: free'));
    expect(config.providers[0]?.lanes[0]?.concurrency).toBe(expected);
  });
});

describe('limits as they are written', () => {
  const HOUR_MS = 3_600_000;

  test.each([
    ['{ requests: 5, per: 1h }', { kind: 'rolling', perMs: HOUR_MS }],
    ['{ requests: 5, per: 1.5h, window: refill }', { kind: 'refill', perMs: 1.5 * HOUR_MS }],
    ['{ requests: 5, per: 1h, window: fixed }', { kind: 'fixed', perMs: HOUR_MS, anchorAtMs: 0 }],
    ['{ requests: 5, per: 1h, window: calendar }', { kind: 'fixed', perMs: HOUR_MS, anchorAtMs: 0 }],
    ['{ requests: 5, per: 24h, window: calendar }', { kind: 'calendar', unit: 'day', timeZone: 'UTC' }],
    ['{ requests: 5, per: 7d, window: calendar }', { kind: 'calendar', unit: 'week', timeZone: 'UTC' }],
    [
      '{ requests: 5, per: 1w, window: calendar, timeZone: Europe/Vienna }',
      { kind: 'calendar', unit: 'week', timeZone: 'Europe/Vienna' },
    ],
    ['{ requests: 5, per: 7d }', { kind: 'rolling', perMs: 7 * 24 * HOUR_MS }],
    ['{ requests: 5, per: 5h, window: session }', { kind: 'session', perMs: 5 * HOUR_MS }],
    ['{ requests: 5, per: 1month, window: calendar }', { kind: 'calendar', unit: 'month', timeZone: 'UTC' }],
    [
      '{ requests: 5, per: 1month, window: fixed, anchor: "2026-01-31T00:00:00+01:00", timeZone: Europe/Vienna }',
      { kind: 'fixed-month', anchorAtMs: Date.parse('2026-01-30T23:00:00Z'), timeZone: 'Europe/Vienna' },
    ],
  ])('%s', (entry, window) => {
    expect(limitsOf(entry)).toEqual([{ metric: 'requests', amount: 5, window }]);
  });

  test('several metrics in one entry are several limits', () => {
    expect(limitsOf('{ requests: 1, tokens: 2, inputTokens: 3, outputTokens: 4, per: 1m }')).toMatchObject([
      { metric: 'requests', amount: 1 },
      { metric: 'tokens', amount: 2 },
      { metric: 'inputTokens', amount: 3 },
      { metric: 'outputTokens', amount: 4 },
    ]);
  });
});

describe('pools and aliases', () => {
  test('no lane is paid in a pool that the user did not define', () => {
    const config = resolve('providers:\n  groq: { tier: paid }\n  gemini: {}\n');
    const laneIds = config.pools.flatMap((pool) => pool.laneIds);
    expect(laneIds.filter((id) => id.startsWith('groq/'))).toEqual([]);
    expect(resolve('providers:\n  groq: { tier: paid }').pools).toEqual([]);
  });

  test('`all` holds every lane that is not paid', () => {
    const config = resolve('providers:\n  groq: { tier: paid }\n  cloudflare: {}\n');
    const models = CATALOG.find(({ id }) => id === 'cloudflare')?.models ?? [];
    expect(config.pools.find(({ name }) => name === 'all')?.laneIds).toEqual(
      models.map(({ id }) => `cloudflare/${id}`),
    );
  });

  test('lanes that only lack a key are left out of a pool, with a warning', () => {
    const config = resolve('pools:\n  mine: [gemini/gemini-3.5-flash-lite, groq/openai/gpt-oss-20b]', {
      GROQ_API_KEY: 'k',
    });
    expect(config.pools[0]).toEqual({ name: 'mine', laneIds: ['groq/gpt-oss-20b'] });
    expect(config.warnings).toEqual([
      'The pool `mine` goes without gemini/gemini-3.5-flash-lite, not on at present.',
    ]);
  });

  test('a pool left empty is dropped, and so is an alias to it', () => {
    const text = 'pools:\n  mine: [gemini/gemini-3.5-flash-lite]\naliases:\n  best: mine';
    const config = resolve(text, { GROQ_API_KEY: 'k' });
    expect(config.pools.map(({ name }) => name)).toEqual(['small', 'large', 'private', 'all']);
    expect(config.aliases.map(({ name }) => name)).not.toContain('best');
    expect(config.warnings).toHaveLength(2);
  });

  test("with only a local server, every ready-made pool holds the server's lanes, without a word", () => {
    const config = resolve(homeWith(''), {});
    expect(config.pools.map(({ name, laneIds }) => [name, ...laneIds])).toEqual([
      ['small', 'home/m'],
      ['large', 'home/m'],
      ['private', 'home/m'],
      ['all', 'home/m'],
    ]);
    expect(config.warnings).toEqual([]);
  });

  test("a catalog alias steps back for a model of the user's with that name", () => {
    const config = resolve(homeWith('').replace('      m:', '      gpt-4o:'));
    expect(config.aliases.map(({ name }) => name)).not.toContain('gpt-4o');
    expect(config.aliases.map(({ name }) => name)).toContain('gpt-4o-mini');
  });
});

test('the configuration is frozen throughout', () => {
  const config = resolve(null);
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  expect(isFrozen(config)).toBe(true);
});

test('no key shows in a configuration that is printed', () => {
  const secrets = Object.values(ALL_KEYS).filter((value) => value.endsWith('-key'));
  expect(secrets.filter((secret) => JSON.stringify(resolve(null)).includes(secret))).toEqual([]);
});

function resolveNothing(): Config {
  return resolve(null, {});
}

function limitsOf(entry: string): readonly Limit[] {
  const { providers } = resolve(homeWith(`        limits:\n          - ${entry}`));
  return providers[0]?.lanes[0]?.limits ?? [];
}
