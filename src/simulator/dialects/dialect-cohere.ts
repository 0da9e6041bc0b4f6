/** Cohere's trial key: a bare `message`, "API calls / minute" or "/ month", and trial-call headers. */
import type { Complaint, OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply, readGauge } from './dialect.ts';
import { windowName } from '../tier.ts';

/** `{ message }` bodies; `x-trial-endpoint-call-*` for the minute and `x-endpoint-monthly-call-limit`. */
export const cohere: Dialect = {
  refuse: (complaint) => jsonReply(plainWording(complaint).status, { message: messageOf(complaint) }),
  gaugeHeaders(gauge) {
    const minute = readGauge(gauge, 'requests', 'minute');
    const month = readGauge(gauge, 'requests', 'month');
    return {
      ...(minute === null
        ? {}
        : {
            'x-trial-endpoint-call-limit': String(minute.limit),
            'x-trial-endpoint-call-remaining': String(minute.remaining),
          }),
      ...(month === null ? {} : { 'x-endpoint-monthly-call-limit': String(month.limit) }),
    };
  },
};

const WORDS: OwnWords<string> = {
  quota: ({ exceeded: [{ limit }] }) =>
    `You are using a Trial key, which is limited to ${limit.amount} ` +
    `${limit.metric === 'requests' ? 'API calls' : 'tokens'} / ${windowName(limit)}. You can continue to use the ` +
    'Trial key for free or upgrade to a Production key with higher rate limits at ' +
    "'https://dashboard.cohere.com/api-keys'.",
  unauthorized: () => 'invalid api token',
  'model-not-found': ({ model }) =>
    `model '${model}' not found, make sure the correct model ID was used and that you have access to the model.`,
  'context-length': ({ contextTokens, size }) =>
    `too many tokens: total number of tokens in the prompt cannot exceed ${contextTokens} - received ` +
    `${size.promptTokens}. Try using a shorter prompt.`,
};

function messageOf(complaint: Complaint): string {
  return ownWords(WORDS, complaint.kind, complaint) ?? plainWording(complaint).message;
}
