/** SambaNova: its pages describe a free tier, yet calls of new accounts without a card end in 402. Counted as a trial. */
import type { CatalogLimit, CatalogModel, CatalogProvider, Evidence, Purpose } from '../catalog-provider.ts';
import {
  CAREFUL_CONTEXT_TOKENS,
  CAREFUL_OUTPUT_TOKENS,
  CLOUD_TIMEOUT_MS,
  MODELS_FOR_ANYBODY,
  O200K_RATIO,
} from '../defaults.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { ROLLING_DAY, ROLLING_MINUTE } from '../windows.ts';

const LISTED: Evidence = {
  source: 'xyzs996',
  confidence: 'medium',
  note: 'Of the free tier that its pages describe; the kind of the window is not documented, rolling is the stricter reading.',
};

const LIMITS: readonly CatalogLimit[] = [
  { metric: 'requests', amount: 20, window: ROLLING_MINUTE, ...LISTED },
  { metric: 'requests', amount: 20, window: ROLLING_DAY, ...LISTED },
  { metric: 'tokens', amount: 200_000, window: ROLLING_DAY, ...LISTED },
];

function model(id: string, contextTokens: number, ...suits: readonly Purpose[]): CatalogModel {
  return {
    id,
    model: id,
    contextTokens,
    maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
    limits: LIMITS,
    suits,
    source: 'xyzs996',
    confidence: 'low',
    note: 'The largest output is not published, nor every context: careful guesses.',
  };
}

/** The catalog entry of SambaNova. */
export const SAMBANOVA: CatalogProvider = {
  id: 'sambanova',
  name: 'SambaNova Cloud (trial)',
  kind: 'vendor',
  status: 'disputed',
  baseUrl: 'https://api.sambanova.ai/v1',
  apiKeyEnv: 'SAMBANOVA_API_KEY',
  tier: 'trial',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: ['US'],
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [],
  models: [
    { ...model('gpt-oss-120b', 131_072, 'small', 'large'), tokenRatio: O200K_RATIO },
    model('Meta-Llama-3.3-70B-Instruct', CAREFUL_CONTEXT_TOKENS, 'large'),
    model('DeepSeek-V3.2', 32_768, 'large'),
    model('gemma-4-31B-it', CAREFUL_CONTEXT_TOKENS, 'small'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://cloud.sambanova.ai (a payment method is asked for).',
  terms: '$5 of credit for 3 months; a payment method is asked for.',
  notes: [
    'Disputed: its pages list a free tier (2026-08-22), but none of eight calls with new accounts went through (2026-08-20).',
  ],
  sources: {
    refused: SHARED_SOURCES.mnfst102,
    xyzs996: SHARED_SOURCES.xyzs996,
    cheahjs: SHARED_SOURCES.cheahjs,
    freellmapi: SHARED_SOURCES.freellmapi,
  },
};
