/** What the catalog's entries become in a configuration. */
import { describe, expect, test } from 'vitest';
import { CATALOG } from '../../src/providers/catalog.ts';
import { homeWith, resolve } from './resolve.ts';

describe('what is on only when it is named', () => {
  test('a tier without a key: on by its name, without a key', () => {
    expect(resolve(null).providers.map(({ id }) => id)).not.toContain('ovh');
    const { providers, keys } = resolve('providers:\n  ovh: {}\n  kilo: {}', { OVHCLOUD_API_KEY: 'billed' });
    expect(providers.map(({ id, apiKeyEnv }) => [id, apiKeyEnv])).toEqual([
      ['ovh', undefined],
      ['kilo', undefined],
    ]);
    expect(keys.keyOf('ovh')).toBeUndefined();
    expect(providers[0]?.lanes[0]?.limits).toMatchObject([{ metric: 'requests', amount: 2 }]);
  });

  test('a trial, whose credit may run over into a bill', () => {
    const environment = { GROQ_API_KEY: 'g', CEREBRAS_API_KEY: 'c', OPENAI_API_KEY: 'o' };
    const config = resolve(null, environment);
    expect(config.providers.map(({ id }) => id)).toEqual(['groq']);
    expect(config.warnings).toEqual([]);
    const reasons = new Map(config.unavailable.map(({ providerId, reason }) => [providerId, reason]));
    expect(reasons.get('cerebras')).toBe(
      'CEREBRAS_API_KEY is set, but calls spend trial credit: to use it, write `cerebras: {}` under `providers` in nightshift.yaml',
    );
    expect(reasons.get('openai')).toBe(
      'OPENAI_API_KEY is set, but calls cost money: to use it, list its models under `providers.openai.models` in nightshift.yaml',
    );
    expect(reasons.get('ovh')).toMatch(/^works without a key, once you name it: write `ovh: {}`/);
    expect(reasons.has('openrouter-paid')).toBe(false);
    expect(resolve('providers:\n  cerebras: {}', environment).providers[0]?.tier).toBe('trial');
  });

  test('a paid vendor is on with the models that are listed, in no ready-made pool', () => {
    const text = 'providers:\n  openai: { models: { m: { contextTokens: 9, maxOutputTokens: 9 } } }';
    const config = resolve(text, { OPENAI_API_KEY: 'o' });
    expect(config.providers[0]?.lanes.map(({ id }) => id)).toEqual(['openai/m']);
    expect(config.pools).toEqual([]);
  });
});

/** The lane of a model of OpenAI's, with more said of its provider. */
const openai = (more: string) =>
  resolve(
    `providers:\n  openai: { ${more}models: { mini: { model: gpt-4o-mini, contextTokens: 9, maxOutputTokens: 9 } } }`,
    { OPENAI_API_KEY: 'o' },
  ).providers[0]?.lanes[0];

describe('a lane has from the catalog', () => {
  test('its ratio of tokens, 1.25 where none is known', () => {
    expect(lane('groq/gpt-oss-20b')?.tokenRatio).toBe(1);
    expect(lane('groq/qwen3.8-27b')?.tokenRatio).toBe(1.25);
  });

  test('its calls at once', () => {
    expect(lane('zai/glm-4.7-flash')?.concurrency).toBe(1);
  });

  test('what its tokens cost in units', () => {
    expect(lane('cloudflare/gpt-oss-20b')?.unitCost).toEqual({ input: 18.182, output: 27.273 });
    expect(lane('groq/gpt-oss-20b')).not.toHaveProperty('unitCost');
  });

  test('its price, on a paid tier and at the address it is the price of', () => {
    expect(openai('')?.price).toEqual({
      inputNanoDollarsPerMillion: 150_000_000,
      outputNanoDollarsPerMillion: 600_000_000,
      requestNanoDollars: 0,
    });
    expect(openai('baseUrl: https://example.com/v1, ')).not.toHaveProperty('price');
    expect(openai('tier: free, ')).not.toHaveProperty('price');
    expect(lane('cloudflare/gpt-oss-20b')).not.toHaveProperty('price');
  });

  test('and any of it from the user instead', () => {
    const text = `providers:
  groq:
    limits: [{ units: 100, per: 1d }]
    models:
      gpt-oss-20b: { tokenRatio: 1.5, unitCost: { input: 0, output: 0.5 }, concurrency: 3 }
      gpt-oss-120b: false
      qwen3.8-27b: false
`;
    expect(resolve(text).providers[0]?.lanes).toMatchObject([
      { tokenRatio: 1.5, unitCost: { input: 0, output: 0.5 }, concurrency: 3 },
    ]);
  });
});

describe('a provider has from the catalog', () => {
  test('its calls at once over all models, unless the user lifts the bound', () => {
    expect(provider('ollama-cloud: {}')?.concurrency).toBe(1);
    expect(provider('ollama-cloud: { concurrency: null }')?.concurrency).toBeNull();
    expect(provider('groq: {}')?.concurrency).toBeNull();
  });

  test('its regions, unless the address is another', () => {
    expect(provider('mistral: {}')?.regions).toEqual(['EU']);
    expect(provider('mistral: { baseUrl: "https://proxy.example/v1" }')).not.toHaveProperty('regions');
    expect(provider('groq: {}')).not.toHaveProperty('regions');
  });

  test("the user's region or regions, in upper case", () => {
    expect(provider('groq: { region: us }')?.regions).toEqual(['US']);
    expect(provider('groq: { region: [EU, CH] }')?.regions).toEqual(['EU', 'CH']);
  });

  test('sessions and weeks where it counts them', () => {
    expect(provider('ollama-cloud: {}')?.limits.map(({ window }) => window)).toEqual([
      { kind: 'session', perMs: 5 * 3_600_000 },
      { kind: 'rolling', perMs: 7 * 86_400_000 },
    ]);
  });
});

describe('the pool `private`', () => {
  test('holds the lanes of providers that say they do not train on prompts, and no other', () => {
    const laneIds = privateLanes('') ?? [];
    const providers = new Set(laneIds.map((id) => id.split('/')[0]));
    const silent = CATALOG.filter(({ tier, trainsOnData }) => tier === 'free' && trainsOnData === false);
    expect(providers).toEqual(new Set(silent.map(({ id }) => id)));
  });

  test('holds local servers, but not a local gateway, behind which anybody may be', () => {
    const model = 'models: { m: { contextTokens: 9, maxOutputTokens: 9 } }';
    expect(privateLanes(homeWith(''))).toEqual(['home/m']);
    expect(privateLanes(`providers:\n  vllm: { ${model} }\n  litellm: { ${model} }`)).toEqual(['vllm/m']);
    expect(privateLanes(`providers:\n  litellm: { trainsOnData: false, ${model} }`)).toEqual(['litellm/m']);
  });

  test('believes the user', () => {
    expect(privateLanes('providers:\n  groq: { trainsOnData: true }')).toBeUndefined();
    expect(privateLanes('providers:\n  cohere: { trainsOnData: false }')).toHaveLength(6);
    expect(privateLanes('providers:\n  groq: { trainsOnData: false, tier: paid }')).toBeUndefined();
  });

  test("is the user's own where one is defined", () => {
    expect(privateLanes('pools:\n  private: [gemini/gemini-3.5-flash]')).toEqual(['gemini/gemini-3.5-flash']);
  });
});

function lane(id: string) {
  return resolve('providers:\n  groq: {}\n  zai: {}\n  cloudflare: {}')
    .providers.flatMap(({ lanes }) => lanes)
    .find((candidate) => candidate.id === id);
}

function provider(entry: string) {
  return resolve(`providers:\n  ${entry}`).providers[0];
}

function privateLanes(text: string) {
  return resolve(text).pools.find(({ name }) => name === 'private')?.laneIds;
}
