/**
 * Ollama's cloud: limits per session, week or month that only its refusals name, without headers and without a wait
 * (facts/providers.json, ollama-cloud). The wording is that of published refusals.
 */
import type { OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply } from './dialect.ts';
import type { SimulatedLimit } from '../tier.ts';
import { windowName } from '../tier.ts';

/** `you (name) have reached your session usage limit, ...`; no headers at all. */
export const ollama: Dialect = {
  refuse(complaint) {
    const { status, message } = plainWording(complaint);
    const said = ownWords(WORDS, complaint.kind, complaint) ?? message;
    return jsonReply(status, { error: { message: said, type: typeOf(status), param: null, code: null } });
  },
  gaugeHeaders: () => ({}),
};

const WORDS: OwnWords<string> = {
  quota: ({ exceeded: [{ limit }] }) =>
    `you (simulated) have reached your ${usagePeriod(limit)} usage limit, upgrade for higher limits: ` +
    'https://ollama.com/upgrade',
  concurrency: () => 'too many concurrent requests',
  unauthorized: () => 'unauthorized',
  forbidden: () => 'this model requires a subscription, upgrade for access: https://ollama.com/upgrade',
  'model-not-found': ({ model }) => `model '${model}' not found`,
};

function usagePeriod(limit: SimulatedLimit): string {
  const window = windowName(limit);
  switch (window) {
    case 'day':
      return 'daily';
    case 'hour':
    case 'week':
    case 'month':
      return `${window}ly`;
    case 'session':
    case 'second':
    case 'minute':
      return window;
  }
}

function typeOf(status: number): string {
  if (status === 404) return 'not_found_error';
  return status === 400 ? 'invalid_request_error' : 'api_error';
}
