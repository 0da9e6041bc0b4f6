/**
 * Mistral: flat error objects, 422 for members it does not know, and headers that show the minute's and the month's
 * tokens, the only proof of its monthly budget (facts/providers.json, mistral).
 */
import type { OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect, Gauge } from './dialect.ts';
import { jsonReply, readGauge } from './dialect.ts';
import type { SimulatedMetric, WindowName } from '../tier.ts';

/** Members of the flat error object that differ from the common form. */
const WORDS: OwnWords<object> = {
  quota: ({ exceeded: [{ limit }] }) => ({
    message: quotaMessage(limit.metric),
    type: 'rate_limited',
    code: '1300',
  }),
  concurrency: () => ({
    message: 'Service tier capacity exceeded for this model.',
    type: 'invalid_request_error',
  }),
  'model-not-found': ({ model }) => ({
    message: `Invalid model: ${model}`,
    type: 'invalid_model',
    code: '1500',
  }),
  'bad-parameter': ({ parameter }) => ({ message: { detail: [extraForbidden(parameter)] }, code: null }),
  'context-length': ({ contextTokens, size }) => ({
    message:
      `Prompt contains ${size.promptTokens} tokens and 0 draft tokens, too large for model with ${contextTokens} ` +
      'maximum context length',
    code: '3051',
  }),
};

/** Token headers per minute and month; refusals carry no wait. */
export const mistral: Dialect = {
  refuse(complaint) {
    if (complaint.kind === 'unauthorized') return jsonReply(401, { detail: 'Unauthorized' });
    const { status, message, type, code, parameter } = plainWording(complaint);
    const flat = { object: 'error', message, type, param: parameter, code };
    const own = ownWords(WORDS, complaint.kind, complaint) ?? {};
    return jsonReply(complaint.kind === 'bad-parameter' ? 422 : status, { ...flat, ...own });
  },
  gaugeHeaders: (gauge) => ({
    ...amountHeaders(gauge, ['tokens', 'minute'], 'tokens-minute'),
    ...amountHeaders(gauge, ['tokens', 'month'], 'tokens-month'),
    ...amountHeaders(gauge, ['requests', 'minute'], 'req-minute'),
    'x-ratelimit-tokens-query-cost': String(gauge.costTokens),
  }),
};

function quotaMessage(metric: SimulatedMetric): string {
  return metric === 'requests' ? 'Requests rate limit exceeded' : 'Tokens rate limit exceeded';
}

function extraForbidden(parameter: string): object {
  return { type: 'extra_forbidden', loc: ['body', parameter], msg: 'Extra inputs are not permitted' };
}

function amountHeaders(
  gauge: Gauge,
  [metric, window]: readonly [SimulatedMetric, WindowName],
  label: string,
): Record<string, string> {
  const reading = readGauge(gauge, metric, window);
  if (reading === null) return {};
  return {
    [`x-ratelimit-limit-${label}`]: String(reading.limit),
    [`x-ratelimit-remaining-${label}`]: String(reading.remaining),
  };
}
