/** Cerebras: its free tier ended on 2026-08-17; what is left is $5 for 30 days, with limits that refill continuously. */
import type { CatalogLimit, CatalogModel, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS, MODELS_PROVE_KEY, O200K_RATIO } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { REFILL_DAY, REFILL_HOUR, REFILL_MINUTE } from '../windows.ts';

const TRIAL: Evidence = { source: 'xyzs996', confidence: 'high' };

const LIMITS: readonly CatalogLimit[] = [
  {
    metric: 'requests',
    amount: 5,
    window: REFILL_MINUTE,
    ...TRIAL,
    altFigures: [{ amount: 30, note: 'cheahjs, 2026-07-18: the free tier that ended' }],
  },
  {
    metric: 'tokens',
    amount: 30_000,
    window: REFILL_MINUTE,
    ...TRIAL,
    altFigures: [{ amount: 60_000, note: 'cheahjs, 2026-07-18: the free tier that ended' }],
  },
  { metric: 'tokens', amount: 1_000_000, window: REFILL_HOUR, ...TRIAL },
  { metric: 'tokens', amount: 1_000_000, window: REFILL_DAY, ...TRIAL },
];

function model(id: string): CatalogModel {
  return {
    id,
    model: id,
    contextTokens: 65_536,
    maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
    limits: LIMITS,
    suits: ['small'],
    ...TRIAL,
    note: 'The context of the trial; paid it is 131,072. The largest output is a careful guess: all of it is charged in advance.',
  };
}

/** The catalog entry of Cerebras. */
export const CEREBRAS: CatalogProvider = {
  id: 'cerebras',
  name: 'Cerebras Inference (trial)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://api.cerebras.ai/v1',
  apiKeyEnv: 'CEREBRAS_API_KEY',
  tier: 'trial',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: ['US'],
  dialect: 'cerebras',
  refusesParameters: [],
  keyCheck: MODELS_PROVE_KEY,
  limits: [],
  models: [
    { ...model('gpt-oss-120b'), suits: ['small', 'large'], tokenRatio: O200K_RATIO },
    model('gemma-4-31b'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://cloud.cerebras.ai (a payment method is asked for).',
  terms: '$5 of credit once, for 30 days; limits are per model and organization.',
  notes: [
    'It charges the prompt and all of `max_tokens` in advance.',
    'Gone: llama3.1-8b, llama-3.3-70b, qwen-3 models, zai-glm-4.7.',
  ],
  sources: {
    end: { url: 'https://github.com/mnfst/awesome-free-llm-apis/issues/76', date: '2026-08-19' },
    omniroute: SHARED_SOURCES.omniroute,
    xyzs996: SHARED_SOURCES.xyzs996,
    cheahjs: SHARED_SOURCES.cheahjs,
    refill: undated(
      'https://inference-docs.cerebras.ai/support/rate-limits',
      'Buckets that refill continuously.',
    ),
  },
};
