/** Requesty's router: 200 calls a day over all models whose price is zero. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { ROLLING_DAY } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'high' };

const model = modelsListedBy(LISTED);

/** The catalog entry of Requesty. */
export const REQUESTY: CatalogProvider = {
  id: 'requesty',
  name: 'Requesty (zero-priced models)',
  kind: 'gateway',
  status: 'active',
  baseUrl: 'https://router.requesty.ai/v1',
  apiKeyEnv: 'REQUESTY_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'It depends on who serves the model: those that NVIDIA hosts may use prompts for training.',
  regions: null,
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [
    {
      metric: 'requests',
      amount: 200,
      window: ROLLING_DAY,
      ...LISTED,
      note: 'When the day begins is not documented; rolling is the stricter reading.',
    },
  ],
  models: [
    model('nvidia/nemotron-3.5-lightning-30b-a3b', [1_000_000, 65_536], 'small'),
    model('google/gemma-4-31b-it', [262_144, 8_192], 'small'),
    model('nvidia/nemotron-3-super-120b-a12b', [1_000_000, 65_536], 'small', 'large'),
    model('nvidia/nemotron-3-ultra-550b-a55b', [1_000_000, 65_536], 'large'),
    model('nvidia/muse-glimmer-30b', [131_072, 20_000], 'small'),
    model('nvidia/nemotron-3-nano-omni-30b-a3b-reasoning', [131_072, 20_000]),
    { ...model('mistral/leanstral-1-5', [262_144, 32_768]), note: 'It refuses a temperature of 0.' },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://app.requesty.ai; no card is asked for.',
  terms: 'The free plan counts all zero-priced models together.',
  notes: ['Other models cost money: list none of them here.'],
  sources: { mnfst: SHARED_SOURCES.mnfst, freellmapi: SHARED_SOURCES.freellmapi },
};
