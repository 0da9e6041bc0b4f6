/** Google's Gemini API (AI Studio), free tier: limits per model and project, the day ends at midnight Pacific. */
import type { CatalogLimit, CatalogModel, CatalogProvider } from './catalog-provider.ts';
import {
  CLOUD_TIMEOUT_MS,
  PACIFIC_DAY,
  ROLLING_MINUTE,
  SHARED_SOURCES,
  undated,
} from './catalog-provider.ts';

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
  { metric: 'requests', amount: 30, window: ROLLING_MINUTE, ...INFERRED },
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

function flash(id: string, limits: readonly CatalogLimit[]): CatalogModel {
  return { id, model: id, contextTokens: 1_048_576, maxOutputTokens: 65_536, limits, ...ACCOUNT_VIEW };
}

function gemma(id: string): CatalogModel {
  const sizes = { contextTokens: 262_144, maxOutputTokens: 32_768 };
  const note = 'freellmapi worked with a context of 32,768.';
  return { id, model: id, ...sizes, limits: GEMMA_LIMITS, source: 'mnfst', confidence: 'low', note };
}

const UNPUBLISHED = 'No figure is published for this model; this is the one of its siblings.';

/** The catalog entry of Gemini. */
export const GEMINI: CatalogProvider = {
  id: 'gemini',
  name: 'Google Gemini API (AI Studio)',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  apiKeyEnv: 'GEMINI_API_KEY',
  tier: 'free',
  trainsOnData: true,
  dataNote:
    'Free prompts may improve Google products and be read by people, except for users in the EEA, Switzerland and the UK.',
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
  limits: [],
  models: [
    flash('gemini-3.5-flash-lite', FLASH_LITE_LIMITS),
    { ...flash('gemini-3.1-flash-lite', FLASH_LITE_LIMITS), note: 'Google shuts it down on 2027-05-07.' },
    gemma('gemma-4-31b-it'),
    gemma('gemma-4-26b-a4b-it'),
    flash('gemini-2.5-flash-lite', FLASH_LITE_2_5_LIMITS),
    { ...flash('gemini-3.8-flash', flashLimits(UNPUBLISHED)), confidence: 'low' },
    { ...flash('gemini-3.7-flash', flashLimits(UNPUBLISHED)), confidence: 'low' },
    flash('gemini-3.6-flash', flashLimits()),
    flash('gemini-3.5-flash', flashLimits()),
    flash('gemini-2.5-flash', flashLimits()),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart: 'Create a key at https://aistudio.google.com/apikey (a Google account is enough).',
  terms:
    'Professional or business use, not for serving end users in the EEA, Switzerland or the UK; limits are per project, and getting around them is not allowed.',
  notes: [
    'Google no longer publishes the free figures: https://aistudio.google.com/rate-limit shows your own; put them in nightshift.yaml.',
  ],
  sources: {
    cheahjs: {
      url: 'https://github.com/cheahjs/free-llm-api-resources',
      date: '2026-07-18',
      note: 'README at e6765bc; agrees with account views posted on 2026-08-03 (mnfst pull request 90).',
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
