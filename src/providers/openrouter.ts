/** OpenRouter's `:free` models: one account-wide allowance over all of them, per UTC day. */
import type { CatalogModel, CatalogProvider, Evidence } from './catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, ROLLING_MINUTE, SHARED_SOURCES, UTC_DAY, undated } from './catalog-provider.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'high' };

function free(vendor: string, name: string, contextTokens: number, maxOutputTokens: number): CatalogModel {
  const id = `${name}:free`;
  return { id, model: `${vendor}/${id}`, contextTokens, maxOutputTokens, limits: [], ...LISTED };
}

/** The catalog entry of OpenRouter's free models. */
export const OPENROUTER: CatalogProvider = {
  id: 'openrouter',
  name: 'OpenRouter (:free models)',
  baseUrl: 'https://openrouter.ai/api/v1',
  apiKeyEnv: 'OPENROUTER_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote:
    'It depends on who serves the model: some free ones log prompts for training; your account settings can forbid it.',
  dialect: 'openrouter',
  refusesParameters: [],
  limits: [
    {
      metric: 'requests',
      amount: 20,
      window: ROLLING_MINUTE,
      source: 'developersdigest',
      confidence: 'high',
    },
    {
      metric: 'requests',
      amount: 50,
      window: UTC_DAY,
      source: 'developersdigest',
      confidence: 'high',
      note: 'Account-wide, as the official page says; mnfst calls it per model.',
      altFigures: [{ amount: 1_000, note: 'once $10 of credits were bought, at any time' }],
    },
  ],
  models: [
    free('google', 'gemma-4-31b-it', 262_144, 32_768),
    free('google', 'gemma-4-26b-a4b-it', 262_144, 32_768),
    free('qwen', 'qwen3.8-27b', 262_144, 235_000),
    free('nvidia', 'nemotron-3.5-lightning', 1_000_000, 65_536),
    free('inclusionai', 'ling-3.0-flash-sante', 262_144, 32_768),
    free('apodex', 'apodex-1.1-mini', 262_144, 235_000),
    {
      ...free('nvidia', 'nemotron-nano-9b-v2', 128_000, 8_192),
      confidence: 'low',
      note: 'The largest output is not published; 8,192 is a careful guess.',
    },
    free('liquid', 'lfm-2.5-2.6b', 65_536, 8_192),
    free('nvidia', 'nemotron-3-super-120b-a12b', 262_144, 262_144),
    free('nvidia', 'nemotron-3-ultra-550b-a55b', 1_000_000, 65_536),
    free('cohere', 'north-mini-code', 262_144, 65_536),
    free('poolside', 'laguna-s-2.1', 262_144, 32_768),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://openrouter.ai/keys.',
  terms: 'The allowance belongs to the account: more accounts or keys do not raise it.',
  notes: [
    'After buying $10 of credits once, the day holds 1,000 requests: say so under `limits` in nightshift.yaml.',
    'The list of free models changes every week.',
  ],
  sources: {
    developersdigest: { url: 'https://www.developersdigest.tech/rate-limits/openrouter', date: '2026-10-17' },
    official: undated('https://openrouter.ai/docs/api_reference/limits'),
    free: undated('https://www.openrouter.ai/docs/guides/routing/model-variants/free.md'),
    mnfst: SHARED_SOURCES.mnfst,
    keyPage: SHARED_SOURCES.keyPages,
  },
};
