/**
 * The catalog: every provider Nightshift knows, with the pools and aliases it ships.
 * Data only. What is on, and with whose key, is decided in src/config.
 */
import type { Pool } from '../core/model.ts';
import type { CatalogProvider } from './catalog-provider.ts';
import { CLOUDFLARE } from './cloudflare.ts';
import { COHERE } from './cohere.ts';
import { GEMINI } from './gemini.ts';
import { GROQ } from './groq.ts';
import { LLAMACPP, OLLAMA } from './local-servers.ts';
import { MISTRAL } from './mistral.ts';
import { OPENROUTER } from './openrouter.ts';

/** Every provider of the catalog; those that give most come first. */
export const CATALOG: readonly CatalogProvider[] = [
  GEMINI,
  GROQ,
  CLOUDFLARE,
  OPENROUTER,
  MISTRAL,
  COHERE,
  OLLAMA,
  LLAMACPP,
];

/** The catalog's provider of that id, if there is one. */
export function catalogProvider(id: string): CatalogProvider | undefined {
  return CATALOG.find((provider) => provider.id === id);
}

/**
 * The pools that are ready to use, in order of preference: quality for the purpose first, then daily allowance.
 *
 * - `small`: good enough for summaries and labels in bulk. Larger models whose quota is counted apart
 *   from the small ones' close the list, since a night needs all the quota there is.
 * - `large`: for lines that need more thought; most have tens of calls a day.
 *
 * The pool `all` is not listed: the configuration makes it of whatever is on.
 */
export const CATALOG_POOLS: readonly Pool[] = [
  {
    name: 'small',
    laneIds: [
      'gemini/gemini-3.5-flash-lite',
      'gemini/gemini-3.1-flash-lite',
      'groq/gpt-oss-20b',
      'gemini/gemma-4-31b-it',
      'gemini/gemma-4-26b-a4b-it',
      'mistral/mistral-small-2603',
      'mistral/ministral-14b-2512',
      'mistral/ministral-8b-2512',
      'cloudflare/llama-3.1-8b-instruct-fp8-fast',
      'openrouter/gemma-4-31b-it:free',
      'openrouter/gemma-4-26b-a4b-it:free',
      'openrouter/qwen3.8-27b:free',
      'openrouter/nemotron-3.5-lightning:free',
      'openrouter/nemotron-nano-9b-v2:free',
      'cohere/command-r7b-12-2024',
      'cohere/command-r-08-2024',
      'gemini/gemini-2.5-flash-lite',
      'groq/qwen3.8-27b',
      'groq/gpt-oss-120b',
    ],
  },
  {
    name: 'large',
    laneIds: [
      'groq/gpt-oss-120b',
      'mistral/mistral-large-2512',
      'mistral/mistral-medium-3-5',
      'gemini/gemini-3.8-flash',
      'gemini/gemini-3.7-flash',
      'gemini/gemini-3.6-flash',
      'gemini/gemini-3.5-flash',
      'gemini/gemini-2.5-flash',
      'openrouter/nemotron-3-ultra-550b-a55b:free',
      'openrouter/nemotron-3-super-120b-a12b:free',
      'cohere/command-a-plus-05-2026',
      'cohere/command-a-03-2025',
    ],
  },
];

/** Names that batch files commonly ask for, and the pool that stands in. */
export const CATALOG_ALIASES: Readonly<Record<string, 'small' | 'large'>> = {
  'gpt-3.5-turbo': 'small',
  'gpt-4o-mini': 'small',
  'gpt-4.1-mini': 'small',
  'gpt-4.1-nano': 'small',
  'gpt-5-mini': 'small',
  'gpt-5-nano': 'small',
  'gpt-4-turbo': 'large',
  'gpt-4o': 'large',
  'gpt-4.1': 'large',
  'gpt-5': 'large',
  'o4-mini': 'large',
};
