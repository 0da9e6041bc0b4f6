/** Groq: OpenAI's form, but which windows its headers show is its own (facts/providers.json, groq). */
import type { Complaint, OwnWords, Wording } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect, Reply } from './dialect.ts';
import { jsonReply, rateLimitHeaders, readGauge } from './dialect.ts';
import { waitHeaders } from './dialect-openai.ts';
import { goDuration } from './go-duration.ts';

/**
 * `x-ratelimit-*-requests` are always per day and `-tokens` always per minute, the reset is the time to full, and
 * requests per minute and tokens per day are invisible; they come with every reply. `retry-after` in whole seconds
 * on 429 only.
 */
export const groq: Dialect = {
  refuse: (complaint) => groqReply(groqWording(complaint), complaint),
  gaugeHeaders: (gauge) => ({
    ...rateLimitHeaders(readGauge(gauge, 'requests', 'day'), 'requests', goDuration),
    ...rateLimitHeaders(readGauge(gauge, 'tokens', 'minute'), 'tokens', goDuration),
  }),
  gaugesEveryReply: true,
};

const WORDS: OwnWords<Partial<Wording>> = {
  unauthorized: () => ({ message: 'Invalid API Key' }),
  'bad-parameter': ({ parameter }) => ({ message: `property '${parameter}' is unsupported`, code: null }),
};

function groqWording(complaint: Complaint): Wording {
  return { ...plainWording(complaint), ...ownWords(WORDS, complaint.kind, complaint) };
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
