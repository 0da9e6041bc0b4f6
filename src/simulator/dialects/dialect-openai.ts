/** OpenAI's own form, which the others are told by their differences from. */
import type { Complaint } from './complaint.ts';
import { plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply, rateLimitHeaders, readGauge, retryAfterSeconds } from './dialect.ts';
import { goDuration } from './go-duration.ts';

/** `x-ratelimit-*` for requests and tokens per minute; `retry-after` and `retry-after-ms` on quota refusals. */
export const openai: Dialect = {
  refuse(complaint) {
    const { status, message, type, code, parameter } = plainWording(complaint);
    const headers = waitHeaders(complaint, { withMs: true });
    return jsonReply(status, { error: { message, type, param: parameter, code } }, headers);
  },
  gaugeHeaders: (gauge) => ({
    ...rateLimitHeaders(readGauge(gauge, 'requests', 'minute'), 'requests', goDuration),
    ...rateLimitHeaders(readGauge(gauge, 'tokens', 'minute'), 'tokens', goDuration),
  }),
};

/** `retry-after` of a refusal that states a wait; with `withMs` also `retry-after-ms`. */
export function waitHeaders(
  complaint: Complaint,
  form: { readonly withMs: boolean },
): Record<string, string> {
  if (complaint.kind === 'concurrency') return { 'retry-after': '1' };
  if (complaint.kind !== 'quota') return {};
  const { waitMs } = complaint.exceeded[0];
  const headers = { 'retry-after': retryAfterSeconds(waitMs) };
  return form.withMs ? { ...headers, 'retry-after-ms': String(Math.ceil(waitMs)) } : headers;
}
