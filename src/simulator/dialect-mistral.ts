/**
 * Mistral: flat error objects, 422 for members it does not know, and headers that show the minute's and the month's
 * tokens, the only proof of its monthly budget (facts/providers.json, mistral).
 */
import type { Complaint } from './complaint.ts';
import { plainWording } from './complaint.ts';
import type { Dialect, Gauge } from './dialect.ts';
import { jsonReply, readGauge } from './dialect.ts';
import type { SimulatedMetric, WindowName } from './tier.ts';

/** Token headers per minute and month; refusals carry no wait. */
export const mistral: Dialect = {
  refuse(complaint) {
    const { status, message, type, code, parameter } = plainWording(complaint);
    const flat = { object: 'error', message, type, param: parameter, code };
    switch (complaint.kind) {
      case 'quota':
        return jsonReply(429, { ...flat, message: quotaMessage(complaint.exceeded[0].limit.metric), type: 'rate_limited', code: '1300' });
      case 'concurrency':
        return jsonReply(429, { ...flat, message: 'Service tier capacity exceeded for this model.', type: 'invalid_request_error', code: '3505' });
      case 'unauthorized':
        return jsonReply(401, { detail: 'Unauthorized' });
      case 'bad-parameter':
        return jsonReply(422, { ...flat, message: { detail: [extraForbidden(complaint.parameter)] }, code: null });
      case 'model-not-found':
        return jsonReply(404, { ...flat, message: `Invalid model: ${complaint.model}`, type: 'invalid_model', code: '1500' });
      case 'context-length':
        return jsonReply(400, { ...flat, message: tooLongMessage(complaint), code: '3051' });
      default:
        return jsonReply(status, flat);
    }
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

function tooLongMessage({ size, contextTokens }: Extract<Complaint, { kind: 'context-length' }>): string {
  return (
    `Prompt contains ${size.promptTokens} tokens and 0 draft tokens, too large for model with ${contextTokens} ` +
    'maximum context length'
  );
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
