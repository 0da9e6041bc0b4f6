/** Servers on the user's own machine. They are on only when the configuration names them and lists their models. */
import type { CatalogProvider } from './catalog-provider.ts';
import { LOCAL_TIMEOUT_MS, MODELS_FOR_ANYBODY, MODELS_PROVE_KEY } from './defaults.ts';
import type { ListedByUser } from './listed-by-user.ts';
import { listedByUser } from './listed-by-user.ts';
import { SHARED_SOURCES, recalled, undated } from './sources.ts';

function onOwnMachine(entry: Omit<ListedByUser, 'tier' | 'terms'>): CatalogProvider {
  return listedByUser({
    kind: 'local-server',
    tier: 'local',
    trainsOnData: false,
    dataNote: 'Nothing leaves your machine.',
    timeoutMs: LOCAL_TIMEOUT_MS,
    terms: 'Yours.',
    ...entry,
  });
}

/** The catalog entries of local servers. */
export const LOCAL_SERVERS: readonly CatalogProvider[] = [
  onOwnMachine({
    id: 'ollama',
    name: 'Ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    apiKeyEnv: 'OLLAMA_API_KEY',
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Install it from https://ollama.com, pull a model, and list the model in nightshift.yaml.',
    notes: [
      'Its default context is small and longer prompts are cut without a word: set OLLAMA_CONTEXT_LENGTH to the contextTokens you declare.',
    ],
    sources: {
      official: undated('https://github.com/ollama/ollama/blob/043e990/docs/api/openai-compatibility.mdx'),
    },
  }),
  onOwnMachine({
    id: 'llamacpp',
    name: 'llama.cpp server',
    baseUrl: 'http://127.0.0.1:8080/v1',
    apiKeyEnv: 'LLAMACPP_API_KEY',
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Start `llama-server -m MODEL.gguf`, and list the model in nightshift.yaml.',
    notes: ['`--parallel` slots share the context: contextTokens is what one slot has.'],
    sources: { official: recalled('https://github.com/ggml-org/llama.cpp/tree/master/tools/server') },
  }),
  onOwnMachine({
    id: 'vllm',
    name: 'vLLM',
    baseUrl: 'http://127.0.0.1:8000/v1',
    apiKeyEnv: 'VLLM_API_KEY',
    keyCheck: MODELS_PROVE_KEY,
    howToStart: 'Start `vllm serve MODEL`, and list the model in nightshift.yaml.',
    notes: ['It batches calls as they come: `concurrency: 32` and more is fine.'],
    sources: {
      official: recalled('https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html'),
      skill: undated('https://skills.sh/terminalskills/skills/vllm'),
    },
  }),
  onOwnMachine({
    id: 'lmstudio',
    name: 'LM Studio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    apiKeyEnv: 'LMSTUDIO_API_KEY',
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Start its server (`lms server start`), and list the model in nightshift.yaml.',
    sources: { modelsDev: SHARED_SOURCES.modelsDev },
  }),
  onOwnMachine({
    id: 'tgi',
    name: 'Text Generation Inference',
    baseUrl: 'http://127.0.0.1:8080/v1',
    apiKeyEnv: 'TGI_API_KEY',
    keyCheck: MODELS_FOR_ANYBODY,
    howToStart: 'Start its container, and list the model `tgi` in nightshift.yaml.',
    notes: [
      'The port is the one you gave to docker: say `baseUrl` if yours is not 8080.',
      'It is in maintenance mode; its makers point to vLLM.',
    ],
    sources: { official: recalled('https://github.com/huggingface/text-generation-inference') },
  }),
];
