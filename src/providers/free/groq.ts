/** Groq: limits per model and organization, every one a bucket that refills continuously, the daily ones too. */
import type { CatalogLimit, CatalogModel, CatalogProvider, Evidence, Purpose } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_PROVE_KEY, O200K_RATIO } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { REFILL_DAY, REFILL_MINUTE } from '../windows.ts';

const CONFIRMED: Evidence = { source: 'mnfst', confidence: 'high' };
const PREDECESSOR: Evidence = {
  source: 'xyzs996',
  confidence: 'low',
  note: 'Not confirmed for this model; qwen3.6-27b, which it replaced on 2026-09-14, had this figure.',
};

function limitsWith(tokens: Evidence): readonly CatalogLimit[] {
  return [
    { metric: 'requests', amount: 30, window: REFILL_MINUTE, ...CONFIRMED },
    { metric: 'requests', amount: 1_000, window: REFILL_DAY, ...CONFIRMED },
    { metric: 'tokens', amount: 8_000, window: REFILL_MINUTE, ...tokens },
    { metric: 'tokens', amount: 200_000, window: REFILL_DAY, ...tokens },
  ];
}

function gptOss(id: string, suits: readonly Purpose[]): CatalogModel {
  const sizes = { contextTokens: 131_072, maxOutputTokens: 65_536, tokenRatio: O200K_RATIO };
  return { id, model: `openai/${id}`, ...sizes, limits: limitsWith(CONFIRMED), suits, ...CONFIRMED };
}

/** The catalog entry of Groq. */
export const GROQ: CatalogProvider = {
  id: 'groq',
  name: 'Groq (GroqCloud)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://api.groq.com/openai/v1',
  apiKeyEnv: 'GROQ_API_KEY',
  tier: 'free',
  trainsOnData: false,
  dataNote: 'Groq does not keep prompts by default and says it does not train on them.',
  regions: null,
  dialect: 'groq',
  refusesParameters: ['logprobs', 'top_logprobs', 'logit_bias'],
  keyCheck: MODELS_PROVE_KEY,
  limits: [],
  models: [
    gptOss('gpt-oss-20b', ['small']),
    gptOss('gpt-oss-120b', ['small', 'large']),
    {
      id: 'qwen3.8-27b',
      model: 'qwen/qwen3.8-27b',
      contextTokens: 131_072,
      maxOutputTokens: 16_384,
      limits: limitsWith(PREDECESSOR),
      suits: ['small'],
      source: 'mnfst',
      confidence: 'medium',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://console.groq.com/keys.',
  terms: 'Limits are per organization, whatever the number of keys; no resale or leasing.',
  notes: [
    'A call of more than 8,000 tokens, prompt and output together, never fits; there is no reset at midnight.',
    'Some organizations have limits on input and output tokens besides.',
    'The output of gpt-oss models includes their reasoning; `reasoning_effort: low` suits summaries.',
  ],
  sources: {
    mnfst: SHARED_SOURCES.mnfst,
    xyzs996: SHARED_SOURCES.xyzs996,
    refill: {
      url: 'https://github.com/continuedev/continue/issues/10920',
      date: '2026-02-28',
      note: 'Published 429 texts: wait = (used + requested - limit) / limit x period, exactly, for the day too.',
    },
    official: undated('https://console.groq.com/docs/rate-limits.md'),
    data: undated('https://console.groq.com/docs/your-data'),
    freellmapi: SHARED_SOURCES.freellmapi,
    keyPage: SHARED_SOURCES.keyPages,
  },
};
