/**
 * Cerebras: flat error objects and headers for the day's requests and the minute's tokens, their resets in float
 * seconds (facts/providers.json, cerebras). The form of its quota refusals is that of published ones.
 */
import type { OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply, rateLimitHeaders, readGauge } from './dialect.ts';
import { metricWord } from './limit-wording.ts';
import type { SimulatedLimit } from '../tier.ts';
import { windowName } from '../tier.ts';

/** Two gauges with every answer; refusals carry no wait. */
export const cerebras: Dialect = {
  refuse(complaint) {
    const { status, message, type, code, parameter } = plainWording(complaint);
    const own = ownWords(WORDS, complaint.kind, complaint) ?? {};
    return jsonReply(status, { message, type, param: parameter, code, ...own });
  },
  gaugeHeaders: (gauge) => ({
    ...rateLimitHeaders(readGauge(gauge, 'requests', 'day'), 'requests-day', floatSeconds),
    ...rateLimitHeaders(readGauge(gauge, 'tokens', 'minute'), 'tokens-minute', floatSeconds),
  }),
};

/** Members of the flat error object that differ from the common form. */
const WORDS: OwnWords<object> = {
  quota: ({ exceeded: [{ limit }] }) => quotaError(limit),
  concurrency: () => ({ type: 'too_many_requests_error', param: 'queue', code: 'queue_exceeded' }),
  unauthorized: () => ({ message: 'Wrong API Key', code: 'wrong_api_key' }),
  'model-not-found': ({ model }) => ({
    message: `Model ${model} does not exist or you do not have access to it.`,
    type: 'not_found_error',
  }),
};

function quotaError(limit: SimulatedLimit): object {
  const window = windowName(limit);
  return metricWord(limit.metric) === 'requests'
    ? {
        message: `Requests per ${window} limit exceeded - too many requests sent.`,
        type: 'too_many_requests_error',
        param: 'quota',
        code: 'request_quota_exceeded',
      }
    : {
        message: `Tokens per ${window} limit exceeded - too many tokens processed.`,
        type: 'too_many_tokens_error',
        param: 'quota',
        code: 'token_quota_exceeded',
      };
}

/** `33011.382867097855`. */
function floatSeconds(durationMs: number): string {
  return String(durationMs / 1_000);
}
