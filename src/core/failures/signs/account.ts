/** Signs that speak of the account: its key, its money, and upstream providers that are not the account's business. */
import { BUSY, GONE, type Row, type Verdict } from './row.ts';

const NO_MONEY: Verdict = { kind: 'no-money' };
const BAD_KEY: Verdict = { kind: 'bad-key' };

/** The rows, in order. */
export const ACCOUNT_SIGNS: readonly Row[] = [
  {
    seen: 'OpenRouter: an upstream provider refused or is busy',
    status: [401, 402, 429, 503],
    when: ({ body }) => body.upstream !== null,
    means: BUSY,
  },
  {
    seen: 'OpenRouter "temporarily rate-limited upstream"',
    status: [429],
    text: /provider returned error|rate-limited upstream/iu,
    means: BUSY,
  },
  { seen: 'every provider', status: [401], means: BAD_KEY },
  {
    seen: 'Gemini 400 API_KEY_INVALID, 403 "reported as leaked"',
    status: [400, 403],
    text: /api[ _-]?key[^.|]{0,24}(?:not valid|invalid|expired|revoked|leaked)|invalid api[ _-]?key/iu,
    means: BAD_KEY,
  },
  {
    seen: 'ModelScope: how it answers for retired models',
    status: [429],
    text: /insufficient balance ?\(1008\)/iu,
    means: GONE,
  },
  {
    seen: 'Alibaba: its 429s are about rates, whatever they say',
    dialect: 'alibaba',
    status: [429],
    means: { kind: 'minute-limit', scope: 'lane' },
  },
  {
    seen: 'Alibaba in its own words, where its dialect is not configured',
    status: [429],
    text: /allocated quota exceeded|current requests list|increased too quickly/iu,
    means: { kind: 'minute-limit', scope: 'lane' },
  },
  {
    seen: 'Alibaba: each model has a free quota of its own, given once',
    status: [403],
    code: ['allocationquota.freetieronly'],
    means: GONE,
  },
  {
    seen: 'Alibaba',
    dialect: 'alibaba',
    status: [403],
    text: /free ?(?:tier|quota)/iu,
    means: GONE,
  },
  {
    seen: 'Hugging Face 402: the month is free again',
    status: [402],
    text: /monthly (?:included )?credits/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'month', reset: 'window' },
  },
  {
    seen: 'Pollinations 402: pollen grows again by the hour',
    status: [402],
    text: /\bpollen\b/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'hour', reset: 'said' },
  },
  {
    seen: 'OpenAI; Zhipu 1113; SambaNova',
    code: [
      'insufficient_quota',
      '1113',
      'insufficient_balance',
      'payment_method_required',
      'billing_hard_limit_reached',
    ],
    means: NO_MONEY,
  },
  { seen: 'every provider', status: [402], means: NO_MONEY },
  {
    seen: 'Zhipu, Chutes, SambaNova 422, free quotas in words',
    status: [403, 422, 429],
    text: /insufficient (?:account )?balance|account balance is|free ?(?:tier|quota)[^.|]{0,60}(?:exhausted|used up|only)|valid service tier/iu,
    means: NO_MONEY,
  },
];
