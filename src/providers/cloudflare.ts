/**
 * Cloudflare Workers AI: 10,000 neurons per UTC day over the whole account. Neurons are a price, so many per
 * million tokens in and out, different for each model; limits count tokens. The day is therefore shared out as
 * so many tokens in and so many out, in the proportion of a summary (2,000 in, 300 out), such that both
 * together cost at most 10,000 neurons whatever the documents look like:
 *
 *     one summary     2,000 x 4,119 / 1e6 + 300 x 34,868 / 1e6 = 8.238 + 10.4604 = 18.6984 neurons
 *     summaries       floor(10,000 / 18.6984) = 534
 *     tokens in       534 x 2,000 = 1,068,000  ->  4,399.1 neurons
 *     tokens out      534 x   300 =   160,200  ->  5,585.9 neurons, together 9,985.0
 *
 * A single limit on tokens of both kinds would have to price each as output: 286,796 a day, 124 summaries.
 * Only one model is shipped, because a second one with other prices would break the sum.
 */
import type { CatalogProvider, Evidence } from './catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, ROLLING_MINUTE, SHARED_SOURCES, UTC_DAY, undated } from './catalog-provider.ts';

/** What the account may spend per UTC day. */
export const NEURONS_PER_DAY = 10_000;
/** What `@cf/meta/llama-3.1-8b-instruct-fp8-fast` costs, per million tokens. */
export const NEURONS_PER_MILLION = { input: 4_119, output: 34_868 } as const;

const TOKENS_PER_SUMMARY = { input: 2_000, output: 300 } as const;

const SUMMARIES_PER_DAY = Math.floor(
  (NEURONS_PER_DAY * 1_000_000) /
    (TOKENS_PER_SUMMARY.input * NEURONS_PER_MILLION.input +
      TOKENS_PER_SUMMARY.output * NEURONS_PER_MILLION.output),
);

const SHARED_OUT: Evidence = {
  source: 'pricing',
  confidence: 'medium',
  note: 'Derived from 10,000 neurons a day and this model alone; the price table is of 2025.',
};

/** The catalog entry of Cloudflare Workers AI. */
export const CLOUDFLARE: CatalogProvider = {
  id: 'cloudflare',
  name: 'Cloudflare Workers AI',
  baseUrl: 'https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1',
  apiKeyEnv: 'CLOUDFLARE_API_TOKEN',
  tier: 'free',
  trainsOnData: null,
  dataNote:
    'Cloudflare is said not to train on what customers send to Workers AI; its page was not read again.',
  dialect: 'cloudflare',
  refusesParameters: ['min_p', 'logit_bias', 'logprobs', 'top_logprobs', 'reasoning_effort'],
  limits: [
    {
      metric: 'requests',
      amount: 300,
      window: ROLLING_MINUTE,
      source: 'limits',
      confidence: 'high',
      note: 'The kind of minute is not documented; rolling is the stricter reading.',
    },
    {
      metric: 'inputTokens',
      amount: SUMMARIES_PER_DAY * TOKENS_PER_SUMMARY.input,
      window: UTC_DAY,
      ...SHARED_OUT,
    },
    {
      metric: 'outputTokens',
      amount: SUMMARIES_PER_DAY * TOKENS_PER_SUMMARY.output,
      window: UTC_DAY,
      ...SHARED_OUT,
    },
  ],
  models: [
    {
      id: 'llama-3.1-8b-instruct-fp8-fast',
      model: '@cf/meta/llama-3.1-8b-instruct-fp8-fast',
      contextTokens: 32_000,
      maxOutputTokens: 8_192,
      limits: [],
      source: 'fastSibling',
      confidence: 'low',
      note: 'No context is published for this id; its sibling `-fast` has 128,000, a quarter of which is taken here. freellmapi asks for 8,192 tokens of output.',
    },
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart:
    'Create a token with the Workers AI permission in the Cloudflare dashboard (https://dash.cloudflare.com), and copy the account id from its Workers AI page.',
  terms: 'The allowance belongs to the account and is shared with everything else it runs on Workers AI.',
  notes: [
    'Other models cost other neurons per token: add one only with `limits` of the provider that fit its price.',
  ],
  sources: {
    pricing: undated(
      'https://github.com/cloudflare/cloudflare-docs/blob/0059055/src/content/docs/workers-ai/platform/pricing.mdx',
      'A stored version with the prices of 2025.',
    ),
    limits: undated(
      'https://github.com/cloudflare/cloudflare-docs/blob/12de122/src/content/docs/workers-ai/platform/limits.mdx',
    ),
    confirmed: {
      url: 'https://dev.to/multigrid/rate-limits-on-cloudflare-workers-ai-4nkp',
      date: '2026-08-01',
      note: 'Dated August 2026, no day given; confirms the 300 requests a minute.',
    },
    fastSibling: undated(
      'https://developers.cloudflare.com/workers-ai/models/llama-3.1-8b-instruct-fast/',
      'Read in a stored copy.',
    ),
    freellmapi: SHARED_SOURCES.freellmapi,
    token: undated('https://docs.docker.com/ai/docker-agent/providers/cloudflare-workers-ai/'),
  },
};
