/** All dialects by name. */
import type { Dialect } from './dialect.ts';
import { alibaba } from './dialect-alibaba.ts';
import { cerebras } from './dialect-cerebras.ts';
import { cloudflare } from './dialect-cloudflare.ts';
import { cohere } from './dialect-cohere.ts';
import { gemini } from './dialect-gemini.ts';
import { mistral } from './dialect-mistral.ts';
import { groq } from './dialect-groq.ts';
import { nvidia } from './dialect-nvidia.ts';
import { ollama } from './dialect-ollama.ts';
import { openai } from './dialect-openai.ts';
import { openrouter } from './dialect-openrouter.ts';
import { zhipu } from './dialect-zhipu.ts';
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
  cerebras,
  nvidia,
  zhipu,
  alibaba,
  ollama,
};
