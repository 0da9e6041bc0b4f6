/**
 * Cloudflare Workers AI: 10,000 neurons per UTC day over the whole account. Neurons are a price, so many per million
 * tokens in and out, different for each model: the day is one limit of units, and each model has its unit cost.
 */
import type { CatalogModel, CatalogProvider, Evidence, Purpose } from '../catalog-provider.ts';
import { CAREFUL_CONTEXT_TOKENS, CAREFUL_OUTPUT_TOKENS, CLOUD_TIMEOUT_MS, O200K_RATIO } from '../defaults.ts';
import { SHARED_SOURCES, undated } from '../sources.ts';
import { ROLLING_MINUTE, UTC_DAY } from '../windows.ts';

/** What 1,000 neurons cost beyond the free ones, in US dollars. */
const USD_PER_THOUSAND_NEURONS = 0.011;

const PRICED: Evidence = {
  source: 'pricing',
  confidence: 'medium',
  note: 'Unit cost and price are of the pricing page; 8,192 tokens of output are what freellmapi asks for.',
};
const CONTEXT_UNKNOWN: Evidence = {
  ...PRICED,
  confidence: 'low',
  note: 'Unit cost and price are of the pricing page. No context is published: a careful guess.',
};

interface Priced {
  /** The vendor's id without `@cf/`. */
  readonly name: string;
  /** Neurons per million tokens, in and out. */
  readonly neurons: readonly [number, number];
  /** Missing where it is not published. */
  readonly contextTokens?: number;
  readonly suits: readonly Purpose[];
}

function model({ name, neurons, contextTokens, suits }: Priced): CatalogModel {
  const [input, output] = neurons;
  return {
    id: name.slice(name.indexOf('/') + 1),
    model: `@cf/${name}`,
    contextTokens: contextTokens ?? CAREFUL_CONTEXT_TOKENS,
    maxOutputTokens: CAREFUL_OUTPUT_TOKENS,
    limits: [],
    suits,
    unitCost: { input: input / 1_000, output: output / 1_000 },
    prices: { input: usdPerMillion(input), output: usdPerMillion(output) },
    ...(contextTokens === undefined ? CONTEXT_UNKNOWN : PRICED),
  };
}

/** To a tenth of a cent, as the pricing page has it. */
function usdPerMillion(neurons: number): number {
  return Math.round(neurons * USD_PER_THOUSAND_NEURONS) / 1_000;
}

/** The catalog entry of Cloudflare Workers AI. */
export const CLOUDFLARE: CatalogProvider = {
  id: 'cloudflare',
  name: 'Cloudflare Workers AI',
  kind: 'vendor',
  status: 'active',
  baseUrl: 'https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1',
  apiKeyEnv: 'CLOUDFLARE_API_TOKEN',
  tier: 'free',
  trainsOnData: null,
  dataNote:
    'Cloudflare is said not to train on what customers send to Workers AI; its page was not read again.',
  regions: null,
  dialect: 'cloudflare',
  refusesParameters: ['min_p', 'logit_bias', 'logprobs', 'top_logprobs', 'reasoning_effort'],
  keyCheck: { path: '/../models/search', provesKey: true },
  limits: [
    {
      metric: 'requests',
      amount: 300,
      window: ROLLING_MINUTE,
      source: 'limits',
      confidence: 'high',
      note: 'The kind of minute is not documented; rolling is the stricter reading.',
    },
    { metric: 'units', amount: 10_000, window: UTC_DAY, source: 'pricing', confidence: 'high' },
  ],
  unitName: 'neurons',
  models: [
    {
      ...model({
        name: 'meta/llama-3.1-8b-instruct-fp8-fast',
        neurons: [4_119, 34_868],
        contextTokens: 32_000,
        suits: ['small'],
      }),
      source: 'fastSibling',
      confidence: 'low',
      note: 'No context is published for this id; its sibling `-fast` has 128,000, a quarter of which is taken here.',
    },
    model({
      name: 'meta/llama-3.3-70b-instruct-fp8-fast',
      neurons: [26_668, 204_805],
      contextTokens: 24_000,
      suits: ['large'],
    }),
    model({ name: 'meta/llama-3.2-3b-instruct', neurons: [4_625, 30_475], suits: [] }),
    {
      ...model({
        name: 'openai/gpt-oss-120b',
        neurons: [31_818, 68_182],
        contextTokens: 128_000,
        suits: ['small', 'large'],
      }),
      tokenRatio: O200K_RATIO,
    },
    {
      ...model({ name: 'openai/gpt-oss-20b', neurons: [18_182, 27_273], suits: ['small'] }),
      tokenRatio: O200K_RATIO,
    },
    model({
      name: 'google/gemma-4-26b-a4b-it',
      neurons: [9_091, 27_273],
      contextTokens: 256_000,
      suits: ['small'],
    }),
    model({
      name: 'zai-org/glm-4.7-flash',
      neurons: [5_500, 36_400],
      contextTokens: 131_072,
      suits: ['small'],
    }),
    model({ name: 'qwen/qwen3-30b-a3b-fp8', neurons: [4_625, 30_475], suits: ['small'] }),
    model({
      name: 'mistralai/mistral-small-3.1-24b-instruct',
      neurons: [31_876, 50_488],
      contextTokens: 128_000,
      suits: ['small'],
    }),
    model({
      name: 'meta/llama-4-scout-17b-16e-instruct',
      neurons: [24_545, 77_273],
      contextTokens: 131_072,
      suits: ['small', 'large'],
    }),
  ],
  timeoutMs: CLOUD_TIMEOUT_MS,
  howToStart:
    'Create a token with the Workers AI permission in the Cloudflare dashboard (https://dash.cloudflare.com), and copy the account id from its Workers AI page.',
  terms: 'The allowance belongs to the account and is shared with everything else it runs on Workers AI.',
  notes: [
    'Units are neurons: a model that you add needs its `unitCost`, which its page at https://developers.cloudflare.com/workers-ai/models/ has.',
    'Some models are not in the free allowance: kimi-k2.6, kimi-k2.7-code, glm-5.2, glm-5.3, glm-5.3-flash, deepseek-v4-flash-0731, deepseek-v4-pro-0813.',
  ],
  sources: {
    pricing: {
      url: 'https://developers.cloudflare.com/workers-ai/platform/pricing/',
      date: '2026-07-09',
      note: 'Read in a stored copy that bears this date; the copies of 2025 and of 2026-02-13 have the same rates.',
    },
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
    excluded: { url: 'https://github.com/diegosouzapw/OmniRoute/issues/6980', date: '2026-07-12' },
    mnfst: SHARED_SOURCES.mnfst,
    freellmapi: SHARED_SOURCES.freellmapi,
    modelSearch: undated(
      'https://app.unpkg.com/cloudflare@4.2.0/files/src/resources/ai/models/models.ts',
      'The address of the key check.',
    ),
    token: undated('https://docs.docker.com/ai/docker-agent/providers/cloudflare-workers-ai/'),
  },
};
