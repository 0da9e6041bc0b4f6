/** OpenRouter's `:free` models: one account-wide allowance over all of them, per UTC day. */
import type { CatalogProvider } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_MINUTE, UTC_DAY } from '../windows.ts';

const model = modelsListedBy({ source: 'mnfst', confidence: 'high' });

/** The catalog entry of OpenRouter's free models. */
export const OPENROUTER: CatalogProvider = {
  id: 'openrouter',
  name: 'OpenRouter (:free models)',
  kind: 'gateway',
  status: 'active',
  baseUrl: 'https://openrouter.ai/api/v1',
  apiKeyEnv: 'OPENROUTER_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote:
    'It depends on who serves the model: some free ones log prompts for training; your account settings can forbid it.',
  regions: null,
  dialect: 'openrouter',
  refusesParameters: [],
  keyCheck: { path: '/key', provesKey: true },
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
    model('google/gemma-4-31b-it:free', [262_144, 32_768], 'small'),
    model('google/gemma-4-26b-a4b-it:free', [262_144, 32_768], 'small'),
    model('qwen/qwen3.8-27b:free', [262_144, 235_000], 'small'),
    model('nvidia/nemotron-3.5-lightning:free', [1_000_000, 65_536], 'small'),
    model('inclusionai/ling-3.0-flash-sante:free', [262_144, 32_768]),
    model('apodex/apodex-1.1-mini:free', [262_144, 235_000]),
    model('nvidia/nemotron-nano-9b-v2:free', [128_000], 'small'),
    model('liquid/lfm-2.5-2.6b:free', [65_536, 8_192]),
    model('nvidia/nemotron-3-super-120b-a12b:free', [262_144, 262_144], 'large'),
    model('nvidia/nemotron-3-ultra-550b-a55b:free', [1_000_000, 65_536], 'large'),
    model('cohere/north-mini-code:free', [262_144, 65_536]),
    model('poolside/laguna-s-2.1:free', [262_144, 32_768]),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://openrouter.ai/keys.',
  terms: 'The allowance belongs to the account: more accounts or keys do not raise it.',
  notes: [
    'The model openrouter/free is left out: it is any of these, those for moderation included.',
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
