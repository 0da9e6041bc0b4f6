/** LLM7: a free token with limits per second, minute, hour and day; it passes calls on to servers it does not name. */
import type { CatalogLimit, CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_FOR_ANYBODY, O200K_RATIO } from '../defaults.ts';
import { modelsListedBy } from '../listed-model.ts';
import { SHARED_SOURCES } from '../sources.ts';
import { ROLLING_DAY, ROLLING_HOUR, ROLLING_MINUTE, SECOND_WITH_JITTER } from '../windows.ts';

const LISTED: Evidence = { source: 'mnfst', confidence: 'medium' };

const LIMITS: readonly CatalogLimit[] = [
  {
    metric: 'requests',
    amount: 1,
    window: SECOND_WITH_JITTER,
    ...LISTED,
    note: 'One a second, taken with a tenth more room.',
  },
  { metric: 'requests', amount: 60, window: ROLLING_MINUTE, ...LISTED },
  { metric: 'requests', amount: 250, window: ROLLING_HOUR, ...LISTED },
  {
    metric: 'tokens',
    amount: 100_000,
    window: ROLLING_DAY,
    ...LISTED,
    note: '"Per 24 hours", taken as rolling.',
    altFigures: [{ amount: 5_000_000, note: 'OmniRoute, 2026-06-17' }],
  },
];

const model = modelsListedBy(LISTED);

/** The catalog entry of LLM7. */
export const LLM7: CatalogProvider = {
  id: 'llm7',
  name: 'LLM7.io',
  kind: 'gateway',
  status: 'active',
  baseUrl: 'https://api.llm7.io/v1',
  apiKeyEnv: 'LLM7_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known: it passes prompts on to servers that it does not name.',
  regions: null,
  dialect: 'openai',
  refusesParameters: [],
  keyCheck: MODELS_FOR_ANYBODY,
  limits: LIMITS,
  models: [
    { ...model('gpt-oss:20b', [131_072], 'small'), tokenRatio: O200K_RATIO },
    model('mistral-Nemo-Instruct-2407', [131_072], 'small'),
    model('minimax-m2.7', [180_000], 'large'),
    model('DeepSeek-V4-Flash-0731', [400_000], 'large'),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Get a free token at https://token.llm7.io.',
  terms: 'Experimentation, development and research; limits "may be reduced without notice".',
  notes: [
    'Its list of models changes; it has served another model than the one asked for.',
    'Some models work without a token, under limits that are no longer documented.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    omniroute: SHARED_SOURCES.omniroute,
  },
};
