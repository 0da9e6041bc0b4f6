/**
 * Gemini's OpenAI-compatible endpoint: every error body is a JSON array, quota refusals carry google.rpc details,
 * and there are no rate-limit headers at all. As the real one does, a daily refusal still states a delay of seconds.
 */
import type { Complaint, ComplaintOf, OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply } from './dialect.ts';
import { metricWord } from './limit-wording.ts';
import type { Exceeded } from '../windows/meter.ts';
import type { SimulatedMetric, WindowName } from '../tier.ts';
import { windowName } from '../tier.ts';

/** The longest delay `RetryInfo` states, whatever the window: the trap of facts/providers.json, gemini. */
const LONGEST_STATED_DELAY_MS = 45_000;
const TYPE_URL = 'type.googleapis.com/google.rpc';

/** Array bodies, `QuotaFailure` and `RetryInfo`, no headers. */
export const gemini: Dialect = {
  refuse(complaint) {
    const { status, message, rpcStatus, details } = geminiWording(complaint);
    const error = { code: status, message, status: rpcStatus, ...(details.length > 0 ? { details } : {}) };
    return jsonReply(status, [{ error }]);
  },
  gaugeHeaders: () => ({}),
};

interface GeminiWording {
  readonly status: number;
  readonly message: string;
  readonly rpcStatus: string;
  readonly details: readonly object[];
}

const WORDS: OwnWords<Partial<GeminiWording>> = {
  quota: quotaWording,
  concurrency: () => ({ message: 'Resource has been exhausted (e.g. check quota).' }),
  unauthorized: () => ({
    message: 'Request had invalid authentication credentials. Expected a valid API key.',
  }),
  'bad-key': () => ({ details: [badKeyInfo()] }),
  'bad-parameter': ({ parameter }) => unknownName(parameter),
  'context-length': ({ contextTokens, size }) => ({
    message:
      `The input token count (${size.promptTokens}) exceeds the maximum number of tokens allowed ` +
      `(${contextTokens}).`,
  }),
  'model-not-found': ({ model }) => ({
    message:
      `models/${model} is not found for API version v1main, or is not supported for generateContent. ` +
      'Call ListModels to see the list of available models and their supported methods.',
  }),
};

function geminiWording(complaint: Complaint): GeminiWording {
  const { status, message } = plainWording(complaint);
  const own = ownWords(WORDS, complaint.kind, complaint);
  return { status, message, rpcStatus: rpcStatusOf(status), details: [], ...own };
}

function rpcStatusOf(status: number): string {
  const names: Readonly<Record<number, string>> = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    429: 'RESOURCE_EXHAUSTED',
    500: 'INTERNAL',
    503: 'UNAVAILABLE',
  };
  return names[status] ?? 'FAILED_PRECONDITION';
}

function quotaWording(complaint: ComplaintOf<'quota'>): Pick<GeminiWording, 'message' | 'details'> {
  const violations = complaint.exceeded.map((exceeded) => violation(exceeded, complaint.model));
  const delay = `${Math.min(LONGEST_STATED_DELAY_MS, Math.ceil(complaint.exceeded[0].waitMs)) / 1_000}s`;
  const lines = violations.map(
    ({ quotaMetric, quotaValue }) =>
      `* Quota exceeded for metric: ${quotaMetric}, limit: ${quotaValue}, model: ${complaint.model}`,
  );
  const message = [
    'You exceeded your current quota, please check your plan and billing details. For more information on this ' +
      'error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.',
    ...lines,
    `Please retry in ${delay}.`,
  ].join('\n');
  const details = [
    { '@type': `${TYPE_URL}.QuotaFailure`, violations },
    { '@type': `${TYPE_URL}.RetryInfo`, retryDelay: delay },
  ];
  return { message, details };
}

function violation({ limit }: Exceeded, model: string) {
  const counted = metricWord(limit.metric) === 'requests' ? 'requests' : tokenQuotaName(limit.metric);
  return {
    quotaMetric: `generativelanguage.googleapis.com/generate_content_free_tier_${counted}`,
    quotaId: quotaId(limit.metric, windowName(limit)),
    quotaDimensions: { location: 'global', model },
    quotaValue: String(limit.amount),
  };
}

function tokenQuotaName(metric: SimulatedMetric): string {
  return metric === 'outputTokens' ? 'output_token_count' : 'input_token_count';
}

function quotaId(metric: SimulatedMetric, window: WindowName): string {
  const per = `Per${window.charAt(0).toUpperCase()}${window.slice(1)}`;
  if (metric === 'requests') return `GenerateRequests${per}PerProjectPerModel-FreeTier`;
  const direction = metric === 'outputTokens' ? 'Output' : 'Input';
  return `GenerateContent${direction}TokensPerModel${per}-FreeTier`;
}

function badKeyInfo(): object {
  return {
    '@type': `${TYPE_URL}.ErrorInfo`,
    reason: 'API_KEY_INVALID',
    domain: 'googleapis.com',
    metadata: { service: 'generativelanguage.googleapis.com' },
  };
}

function unknownName(parameter: string): Pick<GeminiWording, 'message' | 'details'> {
  const description = `Invalid JSON payload received. Unknown name "${parameter}": Cannot find field.`;
  return {
    message: description,
    details: [{ '@type': `${TYPE_URL}.BadRequest`, fieldViolations: [{ description }] }],
  };
}
