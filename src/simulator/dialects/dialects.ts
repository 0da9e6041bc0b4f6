/** All dialects by name. */
import type { Dialect } from './dialect.ts';
import { cloudflare } from './dialect-cloudflare.ts';
import { cohere } from './dialect-cohere.ts';
import { gemini } from './dialect-gemini.ts';
import { mistral } from './dialect-mistral.ts';
import { groq, openai } from './dialect-openai.ts';
import { openrouter } from './dialect-openrouter.ts';
import type { SimulatedDialect } from '../tier.ts';

/** The manner of speaking of each imitated provider. */
export const DIALECTS: Readonly<Record<SimulatedDialect, Dialect>> = {
  openai,
  gemini,
  groq,
  openrouter,
  cloudflare,
  mistral,
  cohere,
};
