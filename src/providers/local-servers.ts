/** Servers on the user's own machine. They are on only when the configuration names them and lists their models. */
import type { CatalogProvider } from './catalog-provider.ts';
import { LOCAL_TIMEOUT_MS, undated } from './catalog-provider.ts';

const OWN_MACHINE = {
  tier: 'local',
  trainsOnData: false,
  dataNote: 'Nothing leaves your machine.',
  dialect: 'openai',
  refusesParameters: [],
  limits: [],
  models: [],
  timeoutMs: LOCAL_TIMEOUT_MS,
  terms: 'Yours.',
} as const;

/** The catalog entry of Ollama. */
export const OLLAMA: CatalogProvider = {
  ...OWN_MACHINE,
  id: 'ollama',
  name: 'Ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  apiKeyEnv: 'OLLAMA_API_KEY',
  howToStart: 'Install it from https://ollama.com, pull a model, and list the model in nightshift.yaml.',
  notes: [
    'Its default context is small and longer prompts are cut without a word: set OLLAMA_CONTEXT_LENGTH to the contextTokens you declare.',
  ],
  sources: {
    official: undated('https://github.com/ollama/ollama/blob/043e990/docs/api/openai-compatibility.mdx'),
  },
};

/** The catalog entry of the server that llama.cpp brings. */
export const LLAMACPP: CatalogProvider = {
  ...OWN_MACHINE,
  id: 'llamacpp',
  name: 'llama.cpp server',
  baseUrl: 'http://127.0.0.1:8080/v1',
  apiKeyEnv: 'LLAMACPP_API_KEY',
  howToStart: 'Start `llama-server -m MODEL.gguf`, and list the model in nightshift.yaml.',
  notes: ['`--parallel` slots share the context: contextTokens is what one slot has.'],
  sources: {
    official: undated(
      'https://github.com/ggml-org/llama.cpp/tree/master/tools/server',
      'From memory, not read again.',
    ),
  },
};
