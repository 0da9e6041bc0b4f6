/** Gateways pass calls on to others' models. These are on only when the user lists models; those with free models are in `free/`. */
import type { CatalogProvider } from './catalog-provider.ts';
import { MODELS_FOR_ANYBODY, MODELS_PROVE_KEY } from './defaults.ts';
import { listedByUser } from './listed-by-user.ts';
import { SHARED_SOURCES, recalled, undated } from './sources.ts';

/** The catalog entries of gateways without models of their own here. */
export const GATEWAYS: readonly CatalogProvider[] = [
  listedByUser({
    id: 'openrouter-paid',
    name: 'OpenRouter (paid models)',
    kind: 'gateway',
    tier: 'paid',
    baseUrl: 'https://openrouter.ai/api/v1',
    apiKeyEnv: 'OPENROUTER_API_KEY',
    dataNote: 'It depends on who serves the model; data policy filters are in your account settings.',
    dialect: 'openrouter',
    keyCheck: { path: '/key', provesKey: true },
    howToStart: 'Create a key at https://openrouter.ai/keys and buy credits.',
    terms: 'Paid in advance; no rate is published for paid models.',
    notes: ['It refuses a call whose `max_tokens` the credits do not cover.'],
    sources: {
      official: undated('https://openrouter.ai/docs/api_reference/limits'),
      credits: { url: 'https://github.com/astrio-labs/forall/issues/76', date: '2025-11-23' },
    },
  }),
  listedByUser({
    id: 'vercel',
    name: 'Vercel AI Gateway',
    kind: 'gateway',
    tier: 'trial',
    baseUrl: 'https://ai-gateway.vercel.sh/v1',
    apiKeyEnv: 'AI_GATEWAY_API_KEY',
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Create a key in the AI Gateway tab of https://vercel.com/dashboard.',
    terms: 'A monthly credit on some models, counted from the first call; buying credits ends it.',
    notes: [
      'The credit was $5 a month (2026-07-18); its page no longer says how much, nor which rates hold.',
    ],
    sources: { xyzs996: SHARED_SOURCES.xyzs996, cheahjs: SHARED_SOURCES.cheahjs },
  }),
  listedByUser({
    id: 'tokenmix',
    name: 'TokenMix.ai',
    kind: 'gateway',
    tier: 'trial',
    baseUrl: 'https://api.tokenmix.ai/v1',
    apiKeyEnv: 'TOKENMIX_API_KEY',
    howToStart: 'Create a key at https://tokenmix.ai.',
    terms: '$1 of credit once, then from $0.10 per million tokens.',
    notes: ['New in April 2026 and a reseller: where its models come from is not verified.'],
    sources: { card: undated('https://huggingface.co/TokenMixAi', "The vendor's own card.") },
  }),
  listedByUser({
    id: 'portkey',
    name: 'Portkey gateway',
    kind: 'gateway',
    tier: 'paid',
    baseUrl: 'https://api.portkey.ai/v1',
    apiKeyEnv: 'PORTKEY_API_KEY',
    howToStart: 'Create a key at https://app.portkey.ai and add the keys of your providers there.',
    terms: 'Calls go to providers with your own keys and cost what these cost.',
    notes: ['It adds no free models; name a model as `@provider/model`, so that no extra header is needed.'],
    sources: { docs: recalled('https://portkey.ai/docs') },
  }),
  listedByUser({
    id: 'litellm',
    name: 'LiteLLM proxy',
    kind: 'gateway',
    tier: 'local',
    baseUrl: 'http://127.0.0.1:4000/v1',
    apiKeyEnv: 'LITELLM_API_KEY',
    altEnvKeys: ['LITELLM_MASTER_KEY'],
    dataNote: 'It runs on your machine and passes prompts on to the providers behind it.',
    keyCheck: MODELS_PROVE_KEY,
    howToStart: 'Start `litellm --config config.yaml`, and list its models in nightshift.yaml.',
    terms: 'Those of the providers behind it.',
    notes: [
      'Say `tier: paid` if what is behind it costs money.',
      'Limits of the providers behind it are yours to say.',
    ],
    sources: { docs: recalled('https://docs.litellm.ai/docs/simple_proxy') },
  }),
];
