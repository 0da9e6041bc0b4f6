/** Mistral's endpoint for code completion in editors: one code model, with a key of its own. */
import type { CatalogProvider, Evidence } from '../catalog-provider.ts';
import { CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS } from '../defaults.ts';
import { SHARED_SOURCES, recalled } from '../sources.ts';
import { ROLLING_DAY, ROLLING_MINUTE } from '../windows.ts';

const REPORTED: Evidence = {
  source: 'cheahjs',
  confidence: 'low',
  note: 'Not confirmed since July 2026; the kind of the window is not documented, rolling is the stricter reading.',
};

/** The catalog entry of Codestral. */
export const CODESTRAL: CatalogProvider = {
  id: 'codestral',
  name: 'Mistral Codestral',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://codestral.mistral.ai/v1',
  apiKeyEnv: 'CODESTRAL_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dataNote: 'Not known.',
  regions: ['EU'],
  dialect: 'mistral',
  refusesParameters: [
    'top_k',
    'min_p',
    'repetition_penalty',
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'reasoning_effort',
    'seed',
  ],
  keyCheck: null,
  limits: [
    { metric: 'requests', amount: 30, window: ROLLING_MINUTE, ...REPORTED },
    { metric: 'requests', amount: 2_000, window: ROLLING_DAY, ...REPORTED },
  ],
  models: [
    {
      id: 'codestral-2508',
      model: 'codestral-2508',
      contextTokens: 131_072,
      maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
      limits: [],
      suits: [],
      source: 'mnfst',
      confidence: 'medium',
      note: 'The largest output is not published; 8,192 is a careful guess. freellmapi saw a context of 256,000.',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a Codestral key at https://console.mistral.ai/codestral (a phone number is verified).',
  terms: 'A monthly subscription that is free at present.',
  notes: [
    'A code model: a poor fit for summaries, so only the pool `all` holds it.',
    'Keys of api.mistral.ai do not work here.',
  ],
  sources: {
    cheahjs: SHARED_SOURCES.cheahjs,
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    baseUrl: recalled('https://docs.mistral.ai/capabilities/code_generation'),
  },
};
