/** OpenAI's own form, and Groq's, which differs in which windows its headers show (facts/providers.md section 4). */
import type { Complaint, OwnWords, Wording } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect, Gauge, Reply } from './dialect.ts';
import { jsonReply, readGauge, retryAfterSeconds } from './dialect.ts';
import { goDuration } from './go-duration.ts';
import type { SimulatedMetric, WindowName } from '../tier.ts';

/** `x-ratelimit-*` for requests and tokens per minute; `retry-after` and `retry-after-ms` on quota refusals. */
export const openai: Dialect = {
  refuse(complaint) {
    const { status, message, type, code, parameter } = plainWording(complaint);
    const headers = waitHeaders(complaint, { withMs: true });
    return jsonReply(status, { error: { message, type, param: parameter, code } }, headers);
  },
  gaugeHeaders: (gauge) => ({
    ...rateLimitHeaders(gauge, ['requests', 'minute'], 'requests'),
    ...rateLimitHeaders(gauge, ['tokens', 'minute'], 'tokens'),
  }),
};

/**
 * `x-ratelimit-*-requests` are always per day and `-tokens` always per minute, the reset is the time to full, and
 * requests per minute and tokens per day are invisible; `retry-after` in whole seconds on 429 only.
 */
export const groq: Dialect = {
  refuse: (complaint) => groqReply(groqWording(complaint), complaint),
  gaugeHeaders: (gauge) => ({
    ...rateLimitHeaders(gauge, ['requests', 'day'], 'requests'),
    ...rateLimitHeaders(gauge, ['tokens', 'minute'], 'tokens'),
  }),
};

const GROQ_WORDS: OwnWords<Partial<Wording>> = {
  unauthorized: () => ({ message: 'Invalid API Key' }),
  'bad-parameter': ({ parameter }) => ({ message: `property '${parameter}' is unsupported`, code: null }),
};

function groqWording(complaint: Complaint): Wording {
  return { ...plainWording(complaint), ...ownWords(GROQ_WORDS, complaint.kind, complaint) };
}

function groqReply({ status, message, type, code, parameter }: Wording, complaint: Complaint): Reply {
  const error = {
    message,
    type,
    ...(code === null ? {} : { code }),
    ...(parameter === null ? {} : { param: parameter }),
  };
  return jsonReply(status, { error }, waitHeaders(complaint, { withMs: false }));
}

function waitHeaders(complaint: Complaint, form: { readonly withMs: boolean }): Record<string, string> {
  if (complaint.kind === 'concurrency') return { 'retry-after': '1' };
  if (complaint.kind !== 'quota') return {};
  const { waitMs } = complaint.exceeded[0];
  const headers = { 'retry-after': retryAfterSeconds(waitMs) };
  return form.withMs ? { ...headers, 'retry-after-ms': String(Math.ceil(waitMs)) } : headers;
}

function rateLimitHeaders(
  gauge: Gauge,
  [metric, window]: readonly [SimulatedMetric, WindowName],
  label: string,
): Record<string, string> {
  const reading = readGauge(gauge, metric, window);
  if (reading === null) return {};
  return {
    [`x-ratelimit-limit-${label}`]: String(reading.limit),
    [`x-ratelimit-remaining-${label}`]: String(reading.remaining),
    [`x-ratelimit-reset-${label}`]: goDuration(reading.untilFullMs),
  };
}
