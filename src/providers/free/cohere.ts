/** Cohere's trial key through its compatibility API: 20 calls a minute per model, 1,000 a month per account. */
import type { CatalogLimit, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_MINUTE, UTC_MONTH } from '../windows.ts';

const OFFICIAL: Evidence = { source: 'official', confidence: 'high' };

const PER_MODEL: CatalogLimit = { metric: 'requests', amount: 20, window: ROLLING_MINUTE, ...OFFICIAL };

const model = modelsListedBy({ source: 'mnfst', confidence: 'high' }, [PER_MODEL]);

/** The catalog entry of Cohere. */
export const COHERE: CatalogProvider = {
  id: 'cohere',
  name: 'Cohere (trial key)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://api.cohere.ai/compatibility/v1',
  apiKeyEnv: 'COHERE_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known for trial keys; the dashboard is said to have an opt-out.',
  regions: null,
  dialect: 'cohere',
  refusesParameters: [
    'top_k',
    'min_p',
    'repetition_penalty',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'reasoning_effort',
  ],
  keyCheck: null,
  limits: [
    {
      metric: 'requests',
      amount: 1_000,
      window: UTC_MONTH,
      ...OFFICIAL,
      confidence: 'medium',
      note: 'The amount is official; whether the month is the calendar one, and in which zone, is not documented.',
    },
  ],
  models: [
    model('command-r7b-12-2024', [131_072, 4_096], 'small'),
    model('command-r-08-2024', [131_072, 4_096], 'small'),
    model('command-a-03-2025', [262_144, 8_192], 'large'),
    model('command-a-plus-05-2026', [131_072, 65_536], 'large'),
    model('command-a-reasoning-08-2025', [262_144, 32_768]),
    model('c4ai-aya-expanse-32b', [131_072, 4_096], 'small'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a trial key on the API keys page of https://dashboard.cohere.com.',
  terms:
    'Trial keys are non-commercial and not for production; the terms also exclude personal, family and household use.',
  notes: ['Every call counts against the 1,000 of the month, on whatever endpoint.'],
  sources: {
    official: undated('https://docs.cohere.com/docs/rate-limits.md'),
    compatibility: undated('https://docs.cohere.com/docs/compatibility-api'),
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    terms: {
      url: 'https://github.com/tashfeenahmed/freellmapi/blob/main/docs/architecture.md#terms-of-service-review',
      date: '2026-08-22',
    },
  },
};
