/** OVHcloud AI Endpoints without a key: two calls a minute per model and address. With a key calls are billed, so none is sent. */
import type { CatalogLimit, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY, O200K_RATIO } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_MINUTE } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'medium' };

const ANONYMOUS: CatalogLimit = {
  metric: 'requests',
  amount: 2,
  window: ROLLING_MINUTE,
  ...LISTED,
  note: 'Per model and IP address; freellmapi found it stricter across models.',
};

const model = modelsListedBy(LISTED, [ANONYMOUS]);

/** The catalog entry of OVHcloud's anonymous tier. */
export const OVH: CatalogProvider = {
  id: 'ovh',
  name: 'OVHcloud AI Endpoints (without a key)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Hosted in the EU; whether anonymous prompts are kept is not known.',
  regions: ['EU'],
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [],
  models: [
    { ...model('gpt-oss-20b', [131_072, 8_192], 'small'), tokenRatio: O200K_RATIO },
    { ...model('gpt-oss-120b', [131_072, 32_768], 'small', 'large'), tokenRatio: O200K_RATIO },
    model('Qwen3.5-9B', [262_144, 8_192], 'small'),
    model('Qwen3.8-27B', [262_144], 'small'),
    model('Qwen3.6-27B', [262_144, 32_768], 'small'),
    model('Qwen3-32B', [131_072, 32_768], 'small'),
    model('Mistral-Small-3.2-24B-Instruct-2506', [131_072, 4_096], 'small'),
    model('Mistral-Nemo-Instruct-2407', [131_072, 4_096], 'small'),
    model('Meta-Llama-3_3-70B-Instruct', [131_072, 4_096], 'large'),
    model('Qwen3.5-397B-A17B', [262_144, 32_768], 'large'),
    model('Qwen2.5-VL-72B-Instruct', [32_768, 8_192], 'small'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Write `ovh: {}` under `providers` in nightshift.yaml; no key is needed.',
  terms:
    'Limits are per IP address: behind a shared address they are shared, and changing it to get more is not meant.',
  notes: [
    'With a key (OVHCLOUD_API_KEY) it allows 400 calls a minute per project and model, and bills them: say `apiKeyEnv`, `tier: paid` and your `limits`.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    keys: undated('https://strandsagents.com/docs/community/model-providers/ovhcloud-ai-endpoints/'),
  },
};
