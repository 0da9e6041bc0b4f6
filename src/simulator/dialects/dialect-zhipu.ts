/** Z.ai and Zhipu: OpenAI's envelope with numeric texts as codes, by which alone its 429s differ (facts/providers.json, zai). */
import type { OwnWords } from './complaint.ts';
import { ownWords, plainWording } from './complaint.ts';
import type { Dialect } from './dialect.ts';
import { jsonReply } from './dialect.ts';
import { windowName } from '../tier.ts';

/** `{ error: { code, message } }`; no headers. */
export const zhipu: Dialect = {
  refuse(complaint) {
    const { status, message } = plainWording(complaint);
    const own = ownWords(WORDS, complaint.kind, complaint) ?? { code: `${status}`, message };
    return jsonReply(complaint.kind === 'overloaded' ? 429 : status, { error: own });
  },
  gaugeHeaders: () => ({}),
};

interface ZhipuError {
  readonly code: string;
  readonly message: string;
}

const WORDS: OwnWords<ZhipuError> = {
  concurrency: () => ({
    code: '1302',
    message:
      'High concurrency usage of this API, please reduce concurrency or contact customer service to increase limits',
  }),
  // Its free models have no published quota; these two are from memory of its list of codes.
  quota: ({ exceeded: [{ limit }] }) =>
    windowName(limit) === 'day'
      ? { code: '1304', message: 'Daily call limit for this API has been reached' }
      : { code: '1303', message: 'High frequency usage of this API, please reduce frequency' },
  overloaded: () => ({
    code: '1305',
    message: 'The service may be temporarily overloaded, please try again later',
  }),
  'insufficient-quota': () => ({
    code: '1113',
    message: 'Insufficient balance or no resource package. Please recharge.',
  }),
  'context-length': () => ({ code: '1261', message: 'Prompt exceeds max length' }),
  'model-not-found': ({ model }) => ({
    code: '1211',
    message: `Unknown Model, please check the model code: ${model}`,
  }),
};
