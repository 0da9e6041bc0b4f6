/** Ollama's hosted models: one call at a time, and an allowance per session of five hours and per week that is not published. */
import type { CatalogLimit, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY, O200K_RATIO } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { FIVE_HOUR_SESSION, ROLLING_WEEK } from '../windows.ts';

/** "Light usage" is all that is said: the windows are known, the amounts are ours. */
const CAREFUL_AMOUNTS: Evidence = {
  source: 'cloud',
  confidence: 'low',
  note: 'The amount is not published ("light usage"): a careful default, a call every six minutes.',
};
const LIMITS: readonly CatalogLimit[] = [
  { metric: 'requests', amount: 50, window: FIVE_HOUR_SESSION, ...CAREFUL_AMOUNTS },
  {
    metric: 'requests',
    amount: 500,
    window: ROLLING_WEEK,
    ...CAREFUL_AMOUNTS,
    note: 'The amount is not published: a careful default, ten sessions. When the week begins is not known either; rolling is the stricter reading.',
  },
];

const NOT_SAID =
  'The largest output is not published, nor which models are free: a 403 says that this one is not.';
const model = modelsListedBy({ source: 'mnfst', confidence: 'low', note: NOT_SAID });

/** The catalog entry of Ollama Cloud. */
export const OLLAMA_CLOUD: CatalogProvider = {
  id: 'ollama-cloud',
  name: 'Ollama Cloud',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://ollama.com/v1',
  apiKeyEnv: 'OLLAMA_API_KEY',
  tier: 'free',
  trainsOnData: false,
  dataNote: 'Its pages say that prompts are not used to train models.',
  regions: ['US'],
  dialect: 'ollama',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  concurrency: { calls: 1, source: 'cloud', confidence: 'high' },
  limits: LIMITS,
  models: [
    { ...model('gpt-oss:20b', [131_072, CAREFUL_OUTPUT_TOKENS], 'small'), tokenRatio: O200K_RATIO },
    { ...model('gpt-oss:120b', [131_072, CAREFUL_OUTPUT_TOKENS], 'small', 'large'), tokenRatio: O200K_RATIO },
    model('deepseek-v4-flash', [1_000_000, CAREFUL_OUTPUT_TOKENS], 'large'),
    model('qwen3.5:397b', [262_144, CAREFUL_OUTPUT_TOKENS], 'large'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://ollama.com/settings/keys.',
  terms: 'Light usage, one cloud model at a time.',
  notes: [
    'Newer accounts may have one allowance a month instead: put your own limits in nightshift.yaml.',
    'https://ollama.com/api/usage shows how much of each window is used (not documented, reported by users).',
    'A key for a local server of yours may stand in the same variable: name only the one you mean.',
  ],
  sources: {
    cloud: undated('https://github.com/ollama/ollama/blob/1f51984/docs/cloud.mdx'),
    mnfst: SHARED_SOURCES.mnfst,
    windows: { url: 'https://github.com/RedBeret/awesome-ollama-models', date: '2026-07-12' },
    usage: { url: 'https://github.com/mann1x/cline/releases/tag/v4.100.264', date: '2026-10-23' },
    freellmapi: SHARED_SOURCES.freellmapi,
  },
};
