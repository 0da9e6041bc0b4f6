/** Vendors without a free tier. They are on only when the user lists models, and no ready-made pool holds them. */
import type { CatalogProvider, Evidence } from './catalog-provider.ts';
import { MODELS_FOR_ANYBODY, MODELS_PROVE_KEY } from './defaults.ts';
import { listedByUser } from './listed-by-user.ts';
import { SHARED_SOURCES, recalled, undated } from './sources.ts';
import { ROLLING_MINUTE, SECOND_WITH_JITTER } from './windows.ts';

const { freellmapi, modelsDev, omniroute, xyzs996 } = SHARED_SOURCES;

/** Of models with one rate: those that cost more beyond 272,000 tokens are left out. */
const OPENAI_PRICE: Evidence = {
  source: 'prices',
  confidence: 'medium',
  note: 'The standard rate.',
};
const DEEPINFRA_PRICE: Evidence = { source: 'prices', confidence: 'medium' };

/** The catalog entries of vendors that bill from the first call. */
export const PAID: readonly CatalogProvider[] = [
  listedByUser({
    id: 'openai',
    name: 'OpenAI',
    tier: 'paid',
    baseUrl: 'https://api.openai.com/v1',
    apiKeyEnv: 'OPENAI_API_KEY',
    trainsOnData: false,
    dataNote: 'API data is not used for training unless you opt in.',
    keyCheck: MODELS_PROVE_KEY,
    howToStart: 'Create a key at https://platform.openai.com/api-keys.',
    terms: 'Paid; limits depend on model, project and what was spent so far.',
    notes: ['Its newer models refuse `max_tokens` and other temperatures than 1.'],
    prices: {
      'gpt-4o-mini': { input: 0.15, output: 0.6, ...OPENAI_PRICE },
      'gpt-4.1-mini': { input: 0.4, output: 1.6, ...OPENAI_PRICE },
      'gpt-4.1-nano': { input: 0.1, output: 0.4, ...OPENAI_PRICE },
    },
    sources: {
      prices: {
        url: 'https://deploybase.ai/articles/openai-api-pricing-2026',
        date: '2026-03-21',
        note: "A copy of OpenAI's pricing page, that of https://developers.openai.com/api/docs/pricing.",
      },
      rates: {
        url: 'https://raw.githubusercontent.com/api-evangelist/openai/refs/heads/main/rate-limits/openai-rate-limits.yml',
        date: '2026-08-27',
      },
      limits: recalled('https://platform.openai.com/docs/guides/rate-limits'),
    },
  }),
  listedByUser({
    id: 'anthropic',
    name: 'Anthropic (compatibility endpoint)',
    tier: 'paid',
    baseUrl: 'https://api.anthropic.com/v1',
    apiKeyEnv: 'ANTHROPIC_API_KEY',
    trainsOnData: false,
    dataNote: 'Commercial API data is not used for training by default.',
    howToStart: 'Create a key at https://platform.claude.com.',
    terms: 'Paid in advance.',
    notes: [
      'The endpoint is meant for trying things out: it ignores `response_format`, `seed` and penalties.',
    ],
    sources: { compatibility: recalled('https://docs.anthropic.com/en/api/openai-sdk') },
  }),
  listedByUser({
    id: 'azure-openai',
    name: 'Azure OpenAI',
    tier: 'paid',
    baseUrl: 'https://{AZURE_RESOURCE_NAME}.openai.azure.com/openai/v1',
    apiKeyEnv: 'AZURE_API_KEY',
    altEnvKeys: ['AZURE_OPENAI_API_KEY'],
    howToStart: 'Create a resource in https://ai.azure.com, deploy a model, and set AZURE_RESOURCE_NAME.',
    terms: 'Paid; limits are per deployment, region and subscription.',
    notes: ['The model is the name of your deployment.', 'Its content filter answers 400.'],
    sources: {
      modelsDev,
      lifecycle: recalled('https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle'),
    },
  }),
  listedByUser({
    id: 'together',
    name: 'Together AI',
    tier: 'paid',
    baseUrl: 'https://api.together.xyz/v1',
    apiKeyEnv: 'TOGETHER_API_KEY',
    regions: ['US'],
    keyCheck: MODELS_PROVE_KEY,
    howToStart: 'Create a key at https://api.together.ai.',
    terms: 'Paid, $5 at least; limits per model move with use.',
    notes: ['https://api.together.ai/v1 is its newer address.'],
    sources: { omniroute, xyzs996, modelsDev },
  }),
  listedByUser({
    id: 'deepinfra',
    name: 'DeepInfra',
    tier: 'paid',
    baseUrl: 'https://api.deepinfra.com/v1/openai',
    apiKeyEnv: 'DEEPINFRA_API_KEY',
    regions: ['US'],
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Create a key at https://deepinfra.com/dash.',
    terms: 'Paid, by card or in advance.',
    notes: ['200 calls at once per model, from memory.'],
    prices: {
      'meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo': { input: 0.02, output: 0.04, ...DEEPINFRA_PRICE },
      'meta-llama/Llama-3.3-70B-Instruct-Turbo': { input: 0.1, output: 0.32, ...DEEPINFRA_PRICE },
      'meta-llama/Llama-4-Scout-17B-16E-Instruct': { input: 0.1, output: 0.3, ...DEEPINFRA_PRICE },
    },
    sources: {
      prices: {
        url: 'https://huggingface.co/datasets/hundredthrun/gpu-cloud-prices',
        date: '2026-11-05',
        note: 'A data set of what https://deepinfra.com/pricing said on that day.',
      },
      xyzs996,
      omniroute,
      modelsDev,
    },
  }),
  listedByUser({
    id: 'moonshot',
    name: 'Moonshot AI (Kimi)',
    tier: 'paid',
    baseUrl: 'https://api.moonshot.ai/v1',
    apiKeyEnv: 'MOONSHOT_API_KEY',
    keyCheck: MODELS_PROVE_KEY,
    howToStart: 'Create a key at https://platform.moonshot.ai.',
    terms: 'Paid, $1 at least; limits grow with what was paid in.',
    sources: { modelsDev, xyzs996, freellmapi },
  }),
  listedByUser({
    id: 'perplexity',
    name: 'Perplexity API',
    tier: 'paid',
    baseUrl: 'https://api.perplexity.ai',
    apiKeyEnv: 'PERPLEXITY_API_KEY',
    regions: ['US'],
    limits: [
      { metric: 'requests', amount: 1, window: SECOND_WITH_JITTER, source: 'official', confidence: 'medium' },
      { metric: 'requests', amount: 50, window: ROLLING_MINUTE, source: 'official', confidence: 'medium' },
    ],
    howToStart: 'Create a key at https://www.perplexity.ai/settings/api.',
    terms: 'Paid in advance.',
    notes: ['Its models search the web: poor value for summaries.'],
    sources: {
      official: undated(
        'https://docs.perplexity.ai/docs/admin/rate-limits-usage-tiers.md',
        'Of accounts that have bought nothing so far.',
      ),
      xyzs996,
    },
  }),
  listedByUser({
    id: 'xai',
    name: 'xAI (Grok)',
    tier: 'paid',
    baseUrl: 'https://api.x.ai/v1',
    apiKeyEnv: 'XAI_API_KEY',
    regions: ['US', 'EU'],
    keyCheck: MODELS_PROVE_KEY,
    limits: [
      {
        metric: 'tokens',
        amount: 50_000_000,
        window: ROLLING_MINUTE,
        source: 'developersdigest',
        confidence: 'medium',
        note: 'Per model and team; over the whole account here, which is stricter.',
      },
    ],
    howToStart: 'Create a key at https://console.x.ai.',
    terms: 'Paid by the token; 150 calls a second per model.',
    sources: {
      developersdigest: { url: 'https://www.developersdigest.tech/rate-limits/xai', date: '2026-10-17' },
      official: undated('https://docs.x.ai/docs/rate-limits'),
    },
  }),
  listedByUser({
    id: 'chutes',
    name: 'Chutes',
    tier: 'paid',
    baseUrl: 'https://llm.chutes.ai/v1',
    apiKeyEnv: 'CHUTES_API_KEY',
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Create a key at https://chutes.ai.',
    terms: 'Plans from $10 a month with a daily quota; the free plan ended on 2026-03-15.',
    sources: { xyzs996, omniroute, freellmapi },
  }),
];
