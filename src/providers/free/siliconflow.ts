/** SiliconFlow's free model, for accounts that are verified by name in mainland China. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS, MODELS_PROVE_KEY } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_MINUTE } from '../windows.ts';

const LISTED: Evidence = {
  source: 'mnfst',
  confidence: 'medium',
  note: 'Per model and account; the kind of minute is not documented, rolling is the stricter reading.',
};

/** The catalog entry of SiliconFlow. */
export const SILICONFLOW: CatalogProvider = {
  id: 'siliconflow',
  name: 'SiliconFlow (mainland China)',
  kind: 'vendor',
  status: 'gated',
  baseUrl: 'https://api.siliconflow.cn/v1',
  apiKeyEnv: 'SILICONFLOW_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known; processed in China.',
  regions: ['CN'],
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_PROVE_KEY,
  limits: [],
  models: [
    {
      id: 'Qwen3-8B',
      model: 'Qwen/Qwen3-8B',
      contextTokens: 131_072,
      maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
      limits: [
        { metric: 'requests', amount: 1_000, window: ROLLING_MINUTE, ...LISTED },
        { metric: 'tokens', amount: 50_000, window: ROLLING_MINUTE, ...LISTED },
      ],
      suits: ['small'],
      source: 'mnfst',
      confidence: 'medium',
      note: 'The largest output is not published; 8,192 is a careful guess.',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://cloud.siliconflow.cn and verify your name there.',
  terms:
    'Since 2026-05-15 free models need verification by name in mainland China; the service may not be made available to others.',
  notes: [
    'Keys of siliconflow.com are another account: one source had Qwen3-8B billed there at $0.06 per million tokens, another lists it as free.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    official: undated('https://docs.siliconflow.cn/docs/userguide/faqs/rate-limit-and-upgradation'),
    xyzs996: SHARED_SOURCES.xyzs996,
    freellmapi: SHARED_SOURCES.freellmapi,
  },
};
