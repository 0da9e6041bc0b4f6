/** Google's Gemini API (AI Studio), free tier: limits per model and project, the day ends at midnight Pacific. */
import type { CatalogLimit, CatalogModel, CatalogProvider, Purpose } from '../catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, MODELS_PROVE_KEY } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { PACIFIC_DAY, ROLLING_MINUTE } from '../windows.ts';

const ACCOUNT_VIEW = { source: 'cheahjs', confidence: 'medium' } as const;
const INFERRED = { source: 'cheahjs', confidence: 'low' } as const;

/** Gemini counts input tokens only: "Tokens per minute (input)". The kind of minute is undocumented. */
function inputTokensPerMinute(amount: number, note?: string): CatalogLimit {
  const evidence = note === undefined ? ACCOUNT_VIEW : { ...INFERRED, note };
  return { metric: 'inputTokens', amount, window: ROLLING_MINUTE, ...evidence };
}

const FLASH_LITE_LIMITS: readonly CatalogLimit[] = [
  {
    metric: 'requests',
    amount: 15,
    window: ROLLING_MINUTE,
    ...ACCOUNT_VIEW,
    altFigures: [{ amount: 30, note: 'mnfst, 2026-10-05, "no longer published"' }],
  },
  {
    metric: 'requests',
    amount: 500,
    window: PACIFIC_DAY,
    ...ACCOUNT_VIEW,
    altFigures: [{ amount: 1_500, note: 'mnfst, 2026-10-05, "no longer published"' }],
  },
  inputTokensPerMinute(250_000),
];

const FLASH_LITE_2_5_LIMITS: readonly CatalogLimit[] = [
  {
    metric: 'requests',
    amount: 10,
    window: ROLLING_MINUTE,
    ...ACCOUNT_VIEW,
    altFigures: [
      { amount: 15, note: 'official page, early 2026' },
      { amount: 30, note: 'mnfst, 2026-10-05' },
    ],
  },
  {
    metric: 'requests',
    amount: 20,
    window: PACIFIC_DAY,
    ...ACCOUNT_VIEW,
    altFigures: [
      { amount: 1_000, note: 'official page, early 2026' },
      { amount: 1_500, note: 'mnfst, 2026-10-05' },
    ],
  },
  inputTokensPerMinute(250_000),
];

function flashLimits(note?: string): readonly CatalogLimit[] {
  const evidence = note === undefined ? ACCOUNT_VIEW : { ...INFERRED, note };
  const alternative = 'mnfst, 2026-10-05, "no longer published"';
  return [
    {
      metric: 'requests',
      amount: 5,
      window: ROLLING_MINUTE,
      ...evidence,
      altFigures: [{ amount: 15, note: alternative }],
    },
    {
      metric: 'requests',
      amount: 20,
      window: PACIFIC_DAY,
      ...evidence,
      altFigures: [{ amount: 1_500, note: alternative }],
    },
    inputTokensPerMinute(250_000, 'Stated for sibling Flash models.'),
  ];
}

const GEMMA_LIMITS: readonly CatalogLimit[] = [
  {
    metric: 'requests',
    amount: 30,
    window: ROLLING_MINUTE,
    ...INFERRED,
    note: 'Of account views for Gemma models; not confirmed for these.',
  },
  {
    metric: 'requests',
    amount: 1_000,
    window: PACIFIC_DAY,
    source: 'freellmapi',
    confidence: 'low',
    altFigures: [{ amount: 14_400, note: 'account views posted by users, 2026-07-18 and 2026-08-03' }],
  },
  inputTokensPerMinute(15_000, 'Not known for Gemma 4; this is the figure of Gemma 3.'),
];

function flash(id: string, suits: readonly Purpose[], limits: readonly CatalogLimit[]): CatalogModel {
  const sizes = { contextTokens: 1_048_576, maxOutputTokens: 65_536 };
  return { id, model: id, ...sizes, limits, suits, ...ACCOUNT_VIEW };
}

function gemma(id: string): CatalogModel {
  const sizes = { contextTokens: 262_144, maxOutputTokens: 32_768 };
  const note = 'freellmapi worked with a context of 32,768.';
  const evidence = { source: 'mnfst', confidence: 'low', note } as const;
  return { id, model: id, ...sizes, limits: GEMMA_LIMITS, suits: ['small'], ...evidence };
}

/** Sizes of the newest models, which account views do not show yet. */
const UNLISTED = { source: 'mnfst', confidence: 'low', note: 'Free by mnfst alone.' } as const;

const UNPUBLISHED = 'No figure is published for this model; this is the one of its siblings.';

/** The catalog entry of Gemini. */
export const GEMINI: CatalogProvider = {
  id: 'gemini',
  name: 'Google Gemini API (AI Studio)',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  apiKeyEnv: 'GEMINI_API_KEY',
  tier: 'free',
  trainsOnData: true,
  dataNote:
    'Free prompts may improve Google products and be read by people, except for users in the EEA, Switzerland and the UK.',
  regions: null,
  dialect: 'gemini',
  refusesParameters: [
    'frequency_penalty',
    'seed',
    'logprobs',
    'top_logprobs',
    'logit_bias',
    'top_k',
    'min_p',
  ],
  keyCheck: MODELS_PROVE_KEY,
  limits: [],
  models: [
    flash('gemini-3.5-flash-lite', ['small'], FLASH_LITE_LIMITS),
    {
      ...flash('gemini-3.1-flash-lite', ['small'], FLASH_LITE_LIMITS),
      note: 'Google shuts it down on 2027-05-07.',
    },
    gemma('gemma-4-31b-it'),
    gemma('gemma-4-26b-a4b-it'),
    flash('gemini-2.5-flash-lite', ['small'], FLASH_LITE_2_5_LIMITS),
    { ...flash('gemini-3.8-flash', ['large'], flashLimits(UNPUBLISHED)), ...UNLISTED },
    { ...flash('gemini-3.7-flash', ['large'], flashLimits(UNPUBLISHED)), ...UNLISTED },
    flash('gemini-3.6-flash', ['large'], flashLimits()),
    flash('gemini-3.5-flash', ['large'], flashLimits()),
    {
      ...flash('gemini-2.5-flash', ['large'], flashLimits()),
      note: 'Its own page gave 10 a minute and 250 a day in early 2026.',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://aistudio.google.com/apikey (a Google account is enough).',
  terms:
    'Professional or business use, not for serving end users in the EEA, Switzerland or the UK; limits are per project, and getting around them is not allowed.',
  notes: [
    'The Pro models are not on the free tier.',
    'Google no longer publishes the free figures: https://aistudio.google.com/rate-limit shows your own; put them in nightshift.yaml.',
  ],
  sources: {
    cheahjs: SHARED_SOURCES.cheahjs,
    accountViews: {
      url: 'https://github.com/mnfst/awesome-free-llm-apis/pull/90',
      date: '2026-08-03',
      note: 'What users see of their own accounts; agrees with cheahjs.',
    },
    official: undated(
      'https://ai.google.dev/gemini-api/docs/rate-limits',
      'Daily quotas reset at midnight Pacific; per project, not per key; tokens per minute count input.',
    ),
    frequencyPenalty: { url: 'https://github.com/sleepydeer666/RPGBox/issues/2', date: '2026-08-29' },
    seed: { url: 'https://github.com/n4ze3m/page-assist/issues/406', date: '2025-02-16' },
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    keyPage: SHARED_SOURCES.keyPages,
  },
};
