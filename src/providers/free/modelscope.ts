/** ModelScope's inference API, for accounts that are bound to Alibaba Cloud's China site. */
import type { CatalogLimit, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { ROLLING_DAY } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'medium' };

const PER_MODEL: CatalogLimit = {
  metric: 'requests',
  amount: 500,
  window: ROLLING_DAY,
  ...LISTED,
  note: 'At most this many: it changes with demand.',
};

const model = modelsListedBy(LISTED, [PER_MODEL]);

/** The catalog entry of ModelScope. */
export const MODELSCOPE: CatalogProvider = {
  id: 'modelscope',
  name: 'ModelScope API-Inference (mainland China)',
  kind: 'vendor',
  status: 'gated',
  baseUrl: 'https://api-inference.modelscope.cn/v1',
  apiKeyEnv: 'MODELSCOPE_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known; processed in China.',
  regions: ['CN'],
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [
    {
      metric: 'requests',
      amount: 2_000,
      window: ROLLING_DAY,
      ...LISTED,
      note: 'When the day begins is not documented; rolling is the stricter reading.',
    },
  ],
  models: [model('Qwen/Qwen3.5-35B-A3B', [262_144], 'small'), model('Qwen/Qwen3.5-27B', [262_144], 'small')],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart:
    'Bind an Alibaba Cloud account of the China site at https://modelscope.cn, verify your name, and create a token.',
  terms: 'Verification by name in China is asked for.',
  notes: ['A model that was retired answers 429 with "insufficient balance (1008)".'],
  sources: { mnfst: SHARED_SOURCES.mnfst, freellmapi: SHARED_SOURCES.freellmapi },
};
