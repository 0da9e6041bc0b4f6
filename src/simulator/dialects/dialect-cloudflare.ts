/**
 * Cloudflare Workers AI: errors in `errors[0]`, no rate-limit headers, the day's allocation of Neurons in words
 * (facts/providers.json, cloudflare: code 4006).
 */
import type { Complaint, OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply } from './dialect.ts';
import { metricWord } from './limit-wording.ts';
import type { SimulatedLimit } from '../tier.ts';
import { windowName } from '../tier.ts';

/** The `{ success: false, errors: [...] }` envelope. */
export const cloudflare: Dialect = {
  refuse(complaint) {
    const { status } = plainWording(complaint);
    const { code, message } = cloudflareError(complaint);
    return jsonReply(status, { success: false, result: {}, errors: [{ code, message }], messages: [] });
  },
  gaugeHeaders: () => ({}),
};

interface CloudflareError {
  readonly code: number;
  readonly message: string;
}

const CAPACITY: CloudflareError = { code: 3040, message: 'Capacity temporarily exceeded, please try again.' };

const WORDS: OwnWords<CloudflareError> = {
  quota: ({ exceeded }) => quotaError(exceeded[0].limit),
  concurrency: () => CAPACITY,
  overloaded: () => CAPACITY,
  unauthorized: () => ({ code: 10000, message: 'Authentication error' }),
  'model-not-found': ({ model }) => ({ code: 5007, message: `No such model ${model} or task` }),
  'context-length': ({ size, contextTokens }) => ({
    code: 5021,
    message:
      `AiError: The estimated number of input and maximum output tokens (${size.promptTokens + size.outputTokens}) ` +
      `exceeded this model context window limit (${contextTokens}).`,
  }),
};

function cloudflareError(complaint: Complaint): CloudflareError {
  const { status, message } = plainWording(complaint);
  return ownWords(WORDS, complaint.kind, complaint) ?? { code: status * 10, message: `AiError: ${message}` };
}

function quotaError(limit: SimulatedLimit): CloudflareError {
  const window = windowName(limit);
  if (window === 'day') {
    return {
      code: 4006,
      message:
        `you have used up your daily free allocation of ${neurons(limit)} neurons, please upgrade to ` +
        "Cloudflare's Workers Paid plan if you would like to continue usage.",
    };
  }
  const counted = metricWord(limit.metric);
  return {
    code: 3041,
    message: `Rate limit exceeded: ${limit.amount} ${counted} per ${window} for text generation.`,
  };
}

/** Its own figure where the tier's day counts anything else than units. */
function neurons({ metric, amount }: SimulatedLimit): string {
  return metric === 'units' ? amount.toLocaleString('en') : '10,000';
}
