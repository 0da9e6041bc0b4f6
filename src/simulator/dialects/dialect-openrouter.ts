/**
 * OpenRouter's free models: numeric codes, `X-RateLimit-*` only on its own 429s and once more inside the body, with
 * the reset as Unix epoch milliseconds.
 */
import type { Complaint, ComplaintOf, OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect, Reply } from './dialect.ts';
import { jsonReply } from './dialect.ts';
import type { SimulatedLimit, WindowName } from '../tier.ts';
import { windowName } from '../tier.ts';

/** `free-models-per-day` and `free-models-per-min`, resets in epoch milliseconds. */
export const openrouter: Dialect = {
  refuse(complaint) {
    if (complaint.kind === 'quota') return quotaReply(complaint);
    const { status } = plainWording(complaint);
    return jsonReply(status, { error: { message: messageOf(complaint), code: status } });
  },
  gaugeHeaders: () => ({}),
};

const WORDS: OwnWords<string> = {
  unauthorized: () => 'User not found.',
  'payment-required': () => 'Insufficient credits. Add more using https://openrouter.ai/settings/credits',
  'model-not-found': ({ model }) => `No endpoints found for ${model}.`,
  'context-length': ({ contextTokens, size: { promptTokens, outputTokens } }) =>
    `This endpoint's maximum context length is ${contextTokens} tokens. However, you requested about ` +
    `${promptTokens + outputTokens} tokens (${promptTokens} of text input, ${outputTokens} in the output). ` +
    'Please reduce the length of either one.',
};

function messageOf(complaint: Complaint): string {
  return ownWords(WORDS, complaint.kind, complaint) ?? plainWording(complaint).message;
}

function quotaReply({ exceeded, nowMs }: ComplaintOf<'quota'>): Reply {
  const [worst] = exceeded;
  const window = windowName(worst.limit);
  const headers = {
    'X-RateLimit-Limit': String(worst.limit.amount),
    'X-RateLimit-Remaining': '0',
    'X-RateLimit-Reset': String(Math.ceil(nowMs + worst.waitMs)),
  };
  const source = window === 'day' ? { limit_source: 'openrouter_free_tier_daily' } : {};
  const metadata = { headers, provider_name: null, error_type: 'rate_limit_exceeded', ...source };
  return jsonReply(
    429,
    { error: { message: quotaMessage(worst.limit, window), code: 429, metadata } },
    headers,
  );
}

/** What an account that once bought credits may do a day; its refusals have a name of their own, and no advice. */
const HIGH_BALANCE_AMOUNT = 1_000;

function quotaMessage({ metric, amount }: SimulatedLimit, window: WindowName): string {
  const counted = metric === 'requests' ? 'models' : 'tokens';
  const name = `free-${counted}-per-${window === 'minute' ? 'min' : window}`;
  if (window !== 'day') return `Rate limit exceeded: ${name}.`;
  if (amount >= HIGH_BALANCE_AMOUNT) return `Rate limit exceeded: ${name}-high-balance.`;
  return `Rate limit exceeded: ${name}. Add 10 credits to unlock 1000 free model requests per day`;
}
