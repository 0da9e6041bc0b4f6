/**
 * The catalog: every provider Nightshift knows, with the pools and aliases it ships. Data only: what is on, and with
 * whose key, is decided in src/config. Those that are gone are in retired.ts.
 *
 * Where to find one: with models in `free/` or `trial/`, a file each; without, in `trial/credit-only.ts`, `paid.ts`,
 * `gateways.ts` or `local-servers.ts`.
 */
import type { CatalogProvider } from './catalog-provider.ts';
import { CLOUDFLARE } from './free/cloudflare.ts';
import { CODESTRAL } from './free/codestral.ts';
import { COHERE } from './free/cohere.ts';
import { GEMINI } from './free/gemini.ts';
import { GROQ } from './free/groq.ts';
import { HUGGINGFACE } from './free/huggingface.ts';
import { KILO } from './free/kilo.ts';
import { LLM7 } from './free/llm7.ts';
import { MISTRAL } from './free/mistral.ts';
import { MODELSCOPE } from './free/modelscope.ts';
import { NVIDIA } from './free/nvidia.ts';
import { OLLAMA_CLOUD } from './free/ollama-cloud.ts';
import { OPENROUTER } from './free/openrouter.ts';
import { OVH } from './free/ovh.ts';
import { POLLINATIONS } from './free/pollinations.ts';
import { REQUESTY } from './free/requesty.ts';
import { SILICONFLOW } from './free/siliconflow.ts';
import { ZAI } from './free/zai.ts';
import { GATEWAYS } from './gateways.ts';
import { LOCAL_SERVERS } from './local-servers.ts';
import { PAID } from './paid.ts';
import { lanesByYield, poolsOf } from './pools.ts';
import { AI21 } from './trial/ai21.ts';
import { ALIBABA } from './trial/alibaba.ts';
import { CEREBRAS } from './trial/cerebras.ts';
import { CREDIT_ONLY } from './trial/credit-only.ts';
import { SAMBANOVA } from './trial/sambanova.ts';

export { CATALOG_ALIASES } from './pools.ts';

/** Every living provider: free ones first, the surest to give most ahead, then trials, paid ones, gateways and local servers. */
export const CATALOG: readonly CatalogProvider[] = [
  GEMINI,
  GROQ,
  CLOUDFLARE,
  OPENROUTER,
  REQUESTY,
  MISTRAL,
  COHERE,
  NVIDIA,
  ZAI,
  OLLAMA_CLOUD,
  LLM7,
  HUGGINGFACE,
  CODESTRAL,
  POLLINATIONS,
  SILICONFLOW,
  MODELSCOPE,
  OVH,
  KILO,
  CEREBRAS,
  SAMBANOVA,
  ALIBABA,
  AI21,
  ...CREDIT_ONLY,
  ...PAID,
  ...GATEWAYS,
  ...LOCAL_SERVERS,
];

/** The catalog's provider of that id, if there is one. */
export function catalogProvider(id: string): CatalogProvider | undefined {
  return CATALOG.find((provider) => provider.id === id);
}

/** The pools `small` and `large`; see {@link poolsOf}. */
export const CATALOG_POOLS = poolsOf(CATALOG);

/** Every lane of the catalog, in the order of its pools. */
export const CATALOG_LANES = lanesByYield(CATALOG);
