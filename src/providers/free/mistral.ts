/** Mistral's free mode: one request a second and a month of tokens per organization. Whether it still works is disputed. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_PROVE_KEY } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_MINUTE, SECOND_WITH_JITTER, UTC_MONTH } from '../windows.ts';

const PROBED: Evidence = { source: 'probe', confidence: 'low' };

const model = modelsListedBy({ source: 'mnfst', confidence: 'medium' });
const CONTEXT_TOKENS = 262_144;

/** The catalog entry of Mistral. */
export const MISTRAL: CatalogProvider = {
  id: 'mistral',
  name: 'Mistral (La Plateforme, free mode)',
  kind: 'vendor',
  status: 'disputed',
  baseUrl: 'https://api.mistral.ai/v1',
  apiKeyEnv: 'MISTRAL_API_KEY',
  tier: 'free',
  trainsOnData: true,
  dataNote: 'Free prompts may be used for training unless you opt out, which is possible at any time.',
  regions: ['EU'],
  dialect: 'mistral',
  refusesParameters: [
    'top_k',
    'min_p',
    'repetition_penalty',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'reasoning_effort',
    'seed',
  ],
  keyCheck: MODELS_PROVE_KEY,
  limits: [
    {
      metric: 'requests',
      amount: 1,
      window: SECOND_WITH_JITTER,
      source: 'mnfst',
      confidence: 'medium',
      note: 'Documented as one a second; taken with a tenth more room.',
    },
    {
      metric: 'tokens',
      amount: 50_000,
      window: ROLLING_MINUTE,
      ...PROBED,
      note: 'Of the pool that small, large and ministral share.',
      altFigures: [{ amount: 500_000, note: 'mnfst, 2026-10-05' }],
    },
    {
      metric: 'tokens',
      amount: 4_000_000,
      window: UTC_MONTH,
      ...PROBED,
      note: 'The zone of the month is not documented. The header x-ratelimit-remaining-tokens-month shows yours.',
      altFigures: [{ amount: 1_000_000_000, note: 'the console of one user, OmniRoute, 2026-09-02' }],
    },
  ],
  models: [
    model('mistral-small-2603', [CONTEXT_TOKENS], 'small'),
    model('ministral-14b-2512', [CONTEXT_TOKENS], 'small'),
    model('ministral-8b-2512', [CONTEXT_TOKENS], 'small'),
    model('ministral-3b-2512', [CONTEXT_TOKENS]),
    model('mistral-medium-3-5', [CONTEXT_TOKENS], 'large'),
    model('mistral-large-2512', [CONTEXT_TOKENS], 'large'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart:
    'Create a key at https://console.mistral.ai/api-keys (free mode asks for a phone number to be verified).',
  terms: 'Evaluation and prototyping; limits are per organization; keys are not for third parties.',
  notes: [
    'Disputed: on 2026-10-11 one organization reported that the free mode no longer works; others still use it.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    probe: {
      url: 'https://www.reddit.com/r/MistralAI/comments/1rc8rwf/',
      date: '2026-02-23',
      note: 'Headers of the standard pool, read through a mirror.',
    },
    omniroute: SHARED_SOURCES.omniroute,
    dispute: { url: 'https://github.com/diegosouzapw/OmniRoute/discussions/16252', date: '2026-10-11' },
    official: undated('https://docs.mistral.ai/deployment/ai-studio/tier'),
    freellmapi: SHARED_SOURCES.freellmapi,
    keyPage: SHARED_SOURCES.keyPages,
  },
};
