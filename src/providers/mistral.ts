/** Mistral's free mode: one request a second and a month of tokens per organization. Whether it still works is disputed. */
import type { CatalogModel, CatalogProvider, Evidence } from './catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, ROLLING_MINUTE, SHARED_SOURCES, UTC_MONTH, undated } from './catalog-provider.ts';

/** Calls 1.0 s apart arrive closer than that now and then; 1.1 s is what users of the tier found safe. */
const SECOND_WITH_JITTER_MS = 1_100;

const PROBED: Evidence = { source: 'probe', confidence: 'low' };

function model(id: string): CatalogModel {
  const note = 'The largest output is not published; 8,192 is a careful guess.';
  const sizes = { contextTokens: 262_144, maxOutputTokens: 8_192 };
  return { id, model: id, ...sizes, limits: [], source: 'mnfst', confidence: 'medium', note };
}

/** The catalog entry of Mistral. */
export const MISTRAL: CatalogProvider = {
  id: 'mistral',
  name: 'Mistral (La Plateforme, free mode)',
  baseUrl: 'https://api.mistral.ai/v1',
  apiKeyEnv: 'MISTRAL_API_KEY',
  tier: 'free',
  trainsOnData: true,
  dataNote: 'Free prompts may be used for training unless you opt out, which is possible at any time.',
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
  limits: [
    {
      metric: 'requests',
      amount: 1,
      window: { kind: 'rolling', perMs: SECOND_WITH_JITTER_MS },
      source: 'mnfst',
      confidence: 'medium',
      note: 'Documented as one a second; taken with a tenth more room.',
    },
    {
      metric: 'tokens',
      amount: 50_000,
      window: ROLLING_MINUTE,
      ...PROBED,
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
    model('mistral-small-2603'),
    model('ministral-14b-2512'),
    model('ministral-8b-2512'),
    model('ministral-3b-2512'),
    model('mistral-medium-3-5'),
    model('mistral-large-2512'),
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
    omniroute: {
      url: 'https://github.com/diegosouzapw/OmniRoute/blob/16eae80/docs/reference/FREE_TIERS.md',
      date: '2026-09-04',
    },
    dispute: { url: 'https://github.com/diegosouzapw/OmniRoute/discussions/16252', date: '2026-10-11' },
    official: undated('https://docs.mistral.ai/deployment/ai-studio/tier'),
    freellmapi: SHARED_SOURCES.freellmapi,
    keyPage: SHARED_SOURCES.keyPages,
  },
};
