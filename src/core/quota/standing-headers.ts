/**
 * Which headers tell how an account's limits stand, as one table by dialect. Source: the provider facts, section 4.
 *
 * A `null` period is one that the header's name does not tell. Dialects without rows send no such headers.
 */
import type { Scope } from '../failures/failure.ts';
import type { Dialect, Metric } from '../model.ts';
import { PERIOD_MS } from './period-lengths.ts';

/** The headers of one limit, names in lower case. */
export interface LimitHeaders {
  readonly limit: string;
  readonly remaining: string;
  /** When there is room again. Left out where it tells when the bucket is full (Groq, OpenAI): nobody waits for that. */
  readonly reset?: string;
}

/** One limit that headers may tell about. */
export interface StandingRow {
  readonly scope: Scope;
  readonly metric: Metric;
  /** Length of its window in ms (a month: 30 days); `null` where the header's name does not tell. */
  readonly periodMs: number | null;
  /** Names it goes by; the first that is there and makes sense counts. */
  readonly names: readonly LimitHeaders[];
}

const { minute: MINUTE_MS, day: DAY_MS, month: MONTH_MS } = PERIOD_MS;

const REQUESTS = common('requests');
const TOKENS = common('tokens');

/** Cerebras, SambaNova: the name tells the window. */
const REQUESTS_OF_DAY: StandingRow = {
  scope: 'lane',
  metric: 'requests',
  periodMs: DAY_MS,
  names: [commonWithReset('requests-day')],
};
const TOKENS_OF_MINUTE: StandingRow = {
  scope: 'lane',
  metric: 'tokens',
  periodMs: MINUTE_MS,
  names: [commonWithReset('tokens-minute')],
};

/** An older name of Mistral's tokens per minute. */
const BY_SIZE: LimitHeaders = {
  limit: 'x-ratelimitbysize-limit-minute',
  remaining: 'x-ratelimitbysize-remaining-minute',
  reset: 'ratelimitbysize-reset',
};

/** The rows of each dialect. */
export const STANDING_ROWS: Readonly<Record<Dialect, readonly StandingRow[]>> = {
  openai: [
    // Together leaves the metric out of the name of its requests.
    { scope: 'lane', metric: 'requests', periodMs: null, names: [REQUESTS, bare('x-ratelimit')] },
    { scope: 'lane', metric: 'tokens', periodMs: null, names: [TOKENS, bare('x-tokenlimit')] },
    REQUESTS_OF_DAY,
    TOKENS_OF_MINUTE,
    {
      scope: 'provider',
      metric: 'requests',
      periodMs: null,
      names: [anthropic('requests'), bare('modelscope-ratelimit-requests')],
    },
    { scope: 'provider', metric: 'tokens', periodMs: null, names: [anthropic('tokens')] },
  ],
  // Requests are always the day's and tokens the minute's; the other two limits are in no header.
  groq: [
    { scope: 'lane', metric: 'requests', periodMs: DAY_MS, names: [REQUESTS] },
    { scope: 'lane', metric: 'tokens', periodMs: MINUTE_MS, names: [TOKENS] },
  ],
  cerebras: [REQUESTS_OF_DAY, TOKENS_OF_MINUTE],
  // Limits are the organization's, shared by its models; only some models have one of requests.
  mistral: [
    {
      scope: 'provider',
      metric: 'tokens',
      periodMs: MINUTE_MS,
      names: [common('tokens-minute'), BY_SIZE],
    },
    {
      scope: 'provider',
      metric: 'tokens',
      periodMs: 5 * MINUTE_MS,
      names: [common('tokens-5-minute')],
    },
    { scope: 'provider', metric: 'tokens', periodMs: MONTH_MS, names: [common('tokens-month')] },
    { scope: 'lane', metric: 'requests', periodMs: MINUTE_MS, names: [common('req-minute')] },
  ],
  // Only on its own 429s, and about the limit that refused: the day's or the minute's.
  openrouter: [{ scope: 'provider', metric: 'requests', periodMs: null, names: [bare('x-ratelimit')] }],
  // Recalled and unconfirmed, but no other header has the name.
  cohere: [
    {
      scope: 'lane',
      metric: 'requests',
      periodMs: null,
      names: [{ limit: 'x-trial-endpoint-call-limit', remaining: 'x-trial-endpoint-call-remaining' }],
    },
  ],
  gemini: [],
  cloudflare: [],
  nvidia: [],
  zhipu: [],
  alibaba: [],
  ollama: [],
};

function common(what: string): LimitHeaders {
  return { limit: `x-ratelimit-limit-${what}`, remaining: `x-ratelimit-remaining-${what}` };
}

function commonWithReset(what: string): LimitHeaders {
  return { ...common(what), reset: `x-ratelimit-reset-${what}` };
}

function bare(prefix: string): LimitHeaders {
  return { limit: `${prefix}-limit`, remaining: `${prefix}-remaining`, reset: `${prefix}-reset` };
}

function anthropic(what: string): LimitHeaders {
  return {
    limit: `anthropic-ratelimit-${what}-limit`,
    remaining: `anthropic-ratelimit-${what}-remaining`,
  };
}
