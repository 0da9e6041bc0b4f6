/** Signs that a model is not there, or not in working order. */
import { BUSY, GONE, type Row } from './row.ts';

/** The rows, in order. */
export const MODEL_SIGNS: readonly Row[] = [
  {
    seen: 'Gemini "limit: 0": not on the free tier',
    dialect: 'gemini',
    status: [429],
    text: /\blimit: 0(?![.\d])/u,
    means: GONE,
  },
  { seen: 'Ollama Cloud', status: [403], text: /requires a subscription/iu, means: GONE },
  { seen: 'GitHub Models, Ollama Cloud, NVIDIA', status: [410], means: GONE },
  {
    seen: 'OpenAI, Groq, LLM7',
    code: ['model_not_found', 'model_decommissioned', 'model_unavailable'],
    means: GONE,
  },
  {
    seen: 'OpenRouter: the model is there, but nobody serves it with these parameters',
    status: [400, 404],
    text: /no endpoints found that (?:support|can handle)/iu,
    means: { kind: 'bad-request' },
  },
  {
    seen: 'NVIDIA "end of life", Groq, OpenRouter',
    status: [400, 404],
    text: /end of life|decommissioned|model.{0,120}no longer (?:available|supported)|no endpoints found/iu,
    means: GONE,
  },
  {
    seen: 'a 404 that names the model',
    status: [404],
    when: ({ words, model }) => model !== '' && words.includes(model),
    means: GONE,
  },
  {
    seen: 'a 404 about a model',
    status: [404],
    text: /\bmodel\b.{0,120}(?:not found|not exist|not available)/iu,
    means: GONE,
  },
  {
    seen: 'NVIDIA 400 "DEGRADED function cannot be invoked"',
    status: [400],
    text: /degraded function/iu,
    means: BUSY,
  },
];
