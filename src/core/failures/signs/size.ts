/** Signs that a request is too large for a lane. They speak of limits too, and so stand first. */
import { asksMoreThanLimit } from '../evidence.ts';
import type { Row, Verdict } from './row.ts';

const TOO_LARGE: Verdict = { kind: 'too-large' };

/** The rows, in order. */
export const SIZE_SIGNS: readonly Row[] = [
  {
    seen: 'OpenRouter 402 "Prompt tokens limit exceeded: 69120 > 36608"',
    status: [402],
    text: /prompt tokens limit exceeded/iu,
    means: TOO_LARGE,
  },
  { seen: 'Groq 413 "Request too large", nginx, Alibaba above 16 MiB', status: [413], means: TOO_LARGE },
  {
    seen: 'OpenAI and its likes; Zhipu 1261; llama.cpp',
    code: ['context_length_exceeded', 'string_above_max_length', '1261', 'exceed_context_size_error'],
    means: TOO_LARGE,
  },
  {
    seen: 'Gemini, vLLM, TGI, Cohere in words',
    status: [400, 422],
    text: /maximum context|context (?:length|window|size)|exceeds max(?:imum)? length|exceeds the maximum number of tokens|too many tokens|(?:prompt|input) is too long|reduce the length/iu,
    means: TOO_LARGE,
  },
  {
    seen: 'Groq 429 whose Requested exceeds Limit',
    status: [429],
    when: asksMoreThanLimit,
    means: TOO_LARGE,
  },
];
