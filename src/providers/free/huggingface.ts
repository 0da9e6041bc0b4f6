/** Hugging Face's router to inference providers: ten cents of credit a month, so tokens are counted in their stead. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY, O200K_RATIO } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { UTC_MONTH } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'high' };

const model = modelsListedBy(LISTED);

/** The catalog entry of Hugging Face's router. */
export const HUGGINGFACE: CatalogProvider = {
  id: 'huggingface',
  name: 'Hugging Face Inference Providers',
  kind: 'gateway',
  status: 'active',
  baseUrl: 'https://router.huggingface.co/v1',
  apiKeyEnv: 'HF_TOKEN',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'It depends on the provider that a call is routed to.',
  regions: null,
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [
    {
      metric: 'tokens',
      amount: 200_000,
      window: UTC_MONTH,
      source: 'omniroute',
      confidence: 'low',
      note: 'The allowance is $0.10 of credits a month, which OmniRoute estimates at this many tokens; when the month begins is not documented.',
    },
  ],
  models: [
    model('meta-llama/Llama-3.1-8B-Instruct', [131_072, 4_096], 'small'),
    model('Qwen/Qwen2.5-7B-Instruct', [131_072, 4_096], 'small'),
    { ...model('openai/gpt-oss-120b', [131_072], 'large'), tokenRatio: O200K_RATIO },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart:
    'Create a token with the Inference Providers permission at https://huggingface.co/settings/tokens.',
  terms: 'The credits are "subject to change"; credits that were bought are used after them.',
  notes: ['No limit on requests is published.', 'PRO accounts have $2.00 a month.'],
  sources: {
    pricing: {
      url: 'https://github.com/huggingface/hub-docs/blob/242f4a1/docs/inference-providers/pricing.md',
      date: '2026-08-22',
    },
    mnfst: SHARED_SOURCES.mnfst,
    omniroute: SHARED_SOURCES.omniroute,
  },
};
