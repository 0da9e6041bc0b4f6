/** AI21: $10 of trial credit. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { SHARED_SOURCES, recalled, undated } from '../sources.ts';
import { ROLLING_MINUTE, SECOND_WITH_JITTER } from '../windows.ts';

const OFFICIAL: Evidence = { source: 'official', confidence: 'medium' };

/** The catalog entry of AI21. */
export const AI21: CatalogProvider = {
  id: 'ai21',
  name: 'AI21 (Jamba, trial)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://api.ai21.com/studio/v1',
  apiKeyEnv: 'AI21_API_KEY',
  tier: 'trial',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: null,
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: null,
  limits: [
    { metric: 'requests', amount: 10, window: SECOND_WITH_JITTER, ...OFFICIAL },
    { metric: 'requests', amount: 200, window: ROLLING_MINUTE, ...OFFICIAL },
  ],
  models: [
    {
      id: 'jamba-mini',
      model: 'jamba-mini',
      contextTokens: 262_144,
      maxOutputTokens: 4_096,
      limits: [],
      suits: ['small'],
      source: 'baseUrl',
      confidence: 'low',
      note: 'The context is from memory.',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://studio.ai21.com.',
  terms: 'The trial is for internal evaluation.',
  notes: ['The $10 last 3 months by one source (2026-07-18) and 7 days by another (2026-06-17).'],
  sources: {
    official: undated('https://docs.ai21.com/reference/api-rate-limits'),
    cheahjs: SHARED_SOURCES.cheahjs,
    omniroute: SHARED_SOURCES.omniroute,
    baseUrl: recalled('https://docs.ai21.com'),
  },
};
