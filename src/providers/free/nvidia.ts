/** NVIDIA's hosted NIM models: 40 requests a minute over all of them, for evaluation only. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { COLD_START_TIMEOUT_MS, MODELS_FOR_ANYBODY, O200K_RATIO } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_DAY, ROLLING_MINUTE } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'medium' };

const model = modelsListedBy(LISTED);

/** The catalog entry of NVIDIA NIM. */
export const NVIDIA: CatalogProvider = {
  id: 'nvidia',
  name: 'NVIDIA NIM (build.nvidia.com)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  apiKeyEnv: 'NVIDIA_API_KEY',
  tier: 'free',
  trainsOnData: true,
  dataNote: 'Use is logged to improve NVIDIA products: never send personal or confidential data.',
  regions: null,
  dialect: 'nvidia',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: [
    {
      metric: 'requests',
      amount: 40,
      window: ROLLING_MINUTE,
      source: 'freellmapi',
      confidence: 'medium',
      note: 'Account-wide as freellmapi measured it; mnfst calls it per model.',
    },
    {
      metric: 'requests',
      amount: 10_000,
      window: ROLLING_DAY,
      ...LISTED,
      note: 'When the day begins is not documented; rolling is the stricter reading.',
    },
  ],
  models: [
    { ...model('openai/gpt-oss-20b', [131_072, 131_072], 'small'), tokenRatio: O200K_RATIO },
    model('nvidia/nemotron-3-super-120b-a12b', [1_000_000, 262_144], 'small', 'large'),
    {
      ...model('google/gemma-4-31b-it', [262_144, 8_192], 'small'),
      confidence: 'low',
      note: 'It hung when it was tried in June and July 2026.',
    },
    model('nvidia/nemotron-3-ultra-550b-a55b', [1_000_000, 262_144], 'large'),
    model('nvidia/llama-3.1-nemotron-ultra-253b-v1', [131_072, 4_096], 'large'),
    model('mistralai/mistral-large-2-instruct', [131_072, 4_096], 'large'),
  ],
  timeoutMs: COLD_START_TIMEOUT_MS,
  howToStart:
    'Join the NVIDIA Developer Program (a phone number is verified) and create a key at https://build.nvidia.com.',
  terms: 'Evaluation only, not for production.',
  notes: [
    'It refuses calls when it is busy, whatever your own use.',
    'The limit that applies to you stands at the top right of https://build.nvidia.com.',
    'A model that was not used for a while starts in 30 to 60 s.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    published: SHARED_SOURCES.mnfst102,
    freellmapi: SHARED_SOURCES.freellmapi,
    cheahjs: SHARED_SOURCES.cheahjs,
    busy: { url: 'https://github.com/Alishahryar1/free-claude-code/issues/1485', date: '2026-08-20' },
    shownLimit: undated('https://github.com/steipete/CodexBar/issues/2498'),
  },
};
