/** Kilo's gateway without a key: 200 calls an hour per address over its free models. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { ROLLING_HOUR } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'medium' };

const model = modelsListedBy(LISTED);

/** The catalog entry of Kilo's free models. */
export const KILO: CatalogProvider = {
  id: 'kilo',
  name: 'Kilo Gateway (free models, without a key)',
  kind: 'gateway',
  status: 'active',
  baseUrl: 'https://api.kilo.ai/api/gateway/v1',
  tier: 'free',
  trainsOnData: true,
  dataNote: 'Free prompts and answers may be logged and used for training.',
  regions: null,
  dialect: 'openrouter',
  refusesParameters: ['response_format'],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [
    {
      metric: 'requests',
      amount: 200,
      window: ROLLING_HOUR,
      ...LISTED,
      note: 'Per IP address, over all free models; the kind of hour is not documented, rolling is the stricter reading.',
    },
  ],
  models: [
    { ...model('kilo-auto/free', [262_144, 32_768], 'small'), id: 'auto-free' },
    {
      ...model('qwen/qwen3.8-27b:free', [262_144, 235_000], 'small'),
      confidence: 'low',
      note: 'Listed on 2026-10-05, not tried.',
    },
    model('nvidia/nemotron-3-super-120b-a12b:free', [262_144, 262_144], 'large'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Write `kilo: {}` under `providers` in nightshift.yaml; no key is needed.',
  terms: 'Limits are per IP address; the trial terms of NVIDIA hold for its models.',
  notes: [
    'Its models are served by whoever serves the `:free` ones of OpenRouter: both together give less than their sum.',
    'It answers 400 to any `response_format`, and now and then just "safe" or "unsafe".',
  ],
  sources: { mnfst: SHARED_SOURCES.mnfst, freellmapi: SHARED_SOURCES.freellmapi },
};
