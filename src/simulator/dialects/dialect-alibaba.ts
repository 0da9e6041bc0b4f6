/**
 * Alibaba Model Studio: OpenAI's envelope, in which "You exceeded your current quota" is the minute's tokens, and a
 * free quota that is gone is a 403 (facts/providers.json, alibaba).
 */
import type { OwnWords, Wording } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply } from './dialect.ts';
import { metricWord } from './limit-wording.ts';
import type { SimulatedLimit } from '../tier.ts';
import { windowName } from '../tier.ts';

/** No headers; what is left of a free quota is told by nothing. */
export const alibaba: Dialect = {
  refuse(complaint) {
    const words = { ...plainWording(complaint), ...ownWords(WORDS, complaint.kind, complaint) };
    const { status, message, type, code, parameter } = words;
    return jsonReply(status, { error: { message, type, param: parameter, code } });
  },
  gaugeHeaders: () => ({}),
};

const WORDS: OwnWords<Partial<Wording>> = {
  quota: ({ exceeded: [{ limit }] }) => quotaWords(limit),
  concurrency: () => ({
    message: 'Request rate increased too quickly',
    type: 'limit_requests',
    code: 'limit_requests',
  }),
  'insufficient-quota': () => freeQuotaGone(),
};

function quotaWords(limit: SimulatedLimit): Partial<Wording> {
  if (isLongPeriod(limit)) return freeQuotaGone();
  return metricWord(limit.metric) === 'requests'
    ? { message: 'You exceeded your current requests list.', type: 'limit_requests', code: 'limit_requests' }
    : {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      };
}

/** Its free quota is given once, for months: the nearest a window comes to that is a week or a month. */
function isLongPeriod(limit: SimulatedLimit): boolean {
  const window = windowName(limit);
  return window === 'week' || window === 'month';
}

function freeQuotaGone(): Partial<Wording> {
  return {
    status: 403,
    message: 'The free quota of the model is exhausted. To go on, disable "stop when free quota used up".',
    type: 'AllocationQuota.FreeTierOnly',
    code: 'AllocationQuota.FreeTierOnly',
  };
}
