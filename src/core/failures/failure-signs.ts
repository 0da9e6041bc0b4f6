/**
 * The signs of failures as one table, read from the top: the first row that fits decides. Each row says where its signs
 * were seen (the provider facts, sections 4 and 5); a row without a dialect holds for all of them.
 *
 * To teach Nightshift a new refusal, add a row here and a case to the table test.
 */
import { asksMoreThanLimit, type Evidence, retryInstant } from './evidence.ts';
import type { AnswerFlaw, QuotaPeriod, Scope } from './failure.ts';
import type { Dialect } from '../model.ts';

/** What a row decides; the rest of the failure is read out of the evidence. */
export type Verdict =
  | { readonly kind: 'minute-limit'; readonly scope: Scope }
  | { readonly kind: 'day-limit'; readonly scope: Scope; readonly period: QuotaPeriod; readonly reset: Reset }
  | { readonly kind: 'sick'; readonly mayHaveWorked: boolean }
  | { readonly kind: 'useless-answer'; readonly flaw: AnswerFlaw }
  | { readonly kind: 'no-money' | 'bad-key' | 'forbidden' | 'too-large' | 'bad-request' | 'gone' };

/** Whose word counts for the reset: the provider's, if it gave one; the window's alone; UTC midnight unless said. */
type Reset = 'said' | 'window' | 'utc-midnight';

/** All signs a row gives must be there; statuses, codes and texts are alternatives among themselves. */
export interface Row {
  readonly seen: string;
  readonly dialect?: Dialect;
  readonly status?: readonly number[];
  readonly code?: readonly string[];
  readonly text?: RegExp;
  readonly when?: (evidence: Evidence) => boolean;
  readonly means: Verdict;
}

const GONE: Verdict = { kind: 'gone' };
const NO_MONEY: Verdict = { kind: 'no-money' };
const TOO_LARGE: Verdict = { kind: 'too-large' };
const BUSY: Verdict = { kind: 'sick', mayHaveWorked: false };
const BROKEN: Verdict = { kind: 'sick', mayHaveWorked: true };

/** Signs of sizes, which speak of limits and so stand before them. */
const SIZE_ROWS: readonly Row[] = [
  {
    seen: 'OpenRouter 402 "Prompt tokens limit exceeded: 69120 > 36608"',
    status: [402],
    text: /prompt tokens limit exceeded/iu,
    means: TOO_LARGE,
  },
  { seen: 'Groq 413 "Request too large", nginx', status: [413], means: TOO_LARGE },
  {
    seen: 'OpenAI and its likes; Zhipu 1261; llama.cpp',
    code: ['context_length_exceeded', 'string_above_max_length', '1261', 'exceed_context_size_error'],
    means: TOO_LARGE,
  },
  {
    seen: 'Gemini, vLLM, TGI, Cohere in words',
    status: [400, 422],
    text: /maximum context|context (?:length|window|size)|exceeds max(?:imum)? length|exceeds the maximum number of tokens|too many tokens|(?:prompt|input) is too long|reduce the length/iu,
    means: TOO_LARGE,
  },
  {
    seen: 'Groq 429 whose Requested exceeds Limit',
    status: [429],
    when: asksMoreThanLimit,
    means: TOO_LARGE,
  },
];

const ACCOUNT_ROWS: readonly Row[] = [
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
  { seen: 'every provider', status: [401], means: { kind: 'bad-key' } },
  {
    seen: 'Gemini 400 API_KEY_INVALID, 403 "reported as leaked"',
    status: [400, 403],
    text: /api[ _-]?key[^.]{0,24}(?:not valid|invalid|expired|revoked|leaked)|invalid api[ _-]?key/iu,
    means: { kind: 'bad-key' },
  },
  {
    seen: 'ModelScope: how it answers for retired models',
    status: [429],
    text: /insufficient balance ?\(1008\)/iu,
    means: GONE,
  },
  {
    seen: 'Alibaba: the minute, despite its wording',
    status: [429],
    text: /allocated quota exceeded|current requests list|increased too quickly/iu,
    means: { kind: 'minute-limit', scope: 'lane' },
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
    seen: 'Zhipu, Chutes, Alibaba 403, SambaNova 422',
    status: [403, 422, 429],
    text: /insufficient (?:account )?balance|account balance is|free ?(?:tier|quota)[^.]{0,60}(?:exhausted|used up|only)|valid service tier/iu,
    means: NO_MONEY,
  },
];

const MODEL_ROWS: readonly Row[] = [
  {
    seen: 'Gemini "limit: 0": not on the free tier',
    dialect: 'gemini',
    status: [429],
    text: /\blimit: 0(?![.\d])/u,
    means: GONE,
  },
  { seen: 'Ollama Cloud', status: [403], text: /requires a subscription/iu, means: GONE },
  { seen: 'GitHub Models, Ollama Cloud', status: [410], means: GONE },
  {
    seen: 'OpenAI, Groq, LLM7',
    code: ['model_not_found', 'model_decommissioned', 'model_unavailable'],
    means: GONE,
  },
  {
    seen: 'NVIDIA "end of life", Groq, OpenRouter',
    status: [400, 404],
    text: /end of life|decommissioned|model.{0,120}no longer (?:available|supported)|no endpoints found/iu,
    means: GONE,
  },
  {
    seen: 'a 404 that names the model',
    status: [404],
    when: ({ words, model }) => model !== '' && words.includes(model),
    means: GONE,
  },
  {
    seen: 'a 404 about a model',
    status: [404],
    text: /\bmodel\b.{0,120}(?:not found|not exist|not available)/iu,
    means: GONE,
  },
  {
    seen: 'NVIDIA 400 "DEGRADED function cannot be invoked"',
    status: [400],
    text: /degraded function/iu,
    means: BUSY,
  },
];

const LONG_LIMIT_ROWS: readonly Row[] = [
  {
    seen: 'Gemini quotaId: PerDay overrules its short RetryInfo',
    status: [429],
    when: ({ body }) => body.quotaIds.some((id) => id.includes('PerDay')),
    means: { kind: 'day-limit', scope: 'lane', period: 'day', reset: 'window' },
  },
  {
    seen: 'OpenRouter',
    status: [429],
    text: /free-models-per-day|openrouter_free_tier_daily/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'day', reset: 'utc-midnight' },
  },
  {
    seen: 'Cloudflare 4006',
    status: [429],
    text: /daily free allocation/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'day', reset: 'utc-midnight' },
  },
  {
    seen: 'Cloudflare 4006',
    dialect: 'cloudflare',
    code: ['4006'],
    means: { kind: 'day-limit', scope: 'provider', period: 'day', reset: 'utc-midnight' },
  },
  {
    seen: 'Cohere trial keys',
    status: [429],
    text: /calls? ?\/ ?month/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'month', reset: 'window' },
  },
  {
    seen: 'Mistral',
    dialect: 'mistral',
    status: [429],
    when: ({ headers }) => isSpent(headers['x-ratelimit-remaining-tokens-month']),
    means: { kind: 'day-limit', scope: 'provider', period: 'month', reset: 'window' },
  },
  {
    seen: 'Groq (TPD) and (RPD); Cerebras "per day"',
    status: [429],
    text: /\((?:TPD|RPD)\)|\bper[ -]day\b|\bdaily\b/iu,
    means: { kind: 'day-limit', scope: 'lane', period: 'day', reset: 'said' },
  },
  {
    seen: 'Cerebras',
    status: [429],
    when: ({ headers }) => isSpent(headers['x-ratelimit-remaining-requests-day']),
    means: { kind: 'day-limit', scope: 'lane', period: 'day', reset: 'said' },
  },
  {
    seen: 'Ollama Cloud session and weekly limits',
    status: [429],
    text: /\bweekly\b|\bper week\b|session[^.]{0,20}limit/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'week', reset: 'said' },
  },
  {
    seen: 'monthly limits in words',
    status: [429],
    text: /\bper[ -]month\b|\bmonthly\b/iu,
    means: { kind: 'day-limit', scope: 'provider', period: 'month', reset: 'said' },
  },
];

/** Refusals for want of capacity are not about our quota; the rest of the 429s are. */
const SHORT_LIMIT_ROWS: readonly Row[] = [
  {
    seen: 'Mistral "Service tier capacity exceeded for this model."',
    text: /service tier capacity exceeded/iu,
    means: BUSY,
  },
  { seen: 'Cloudflare 3040', text: /capacity temporarily exceeded/iu, means: BUSY },
  { seen: 'Cloudflare 3040', dialect: 'cloudflare', code: ['3040'], means: BUSY },
  { seen: 'Zhipu 1305, Anthropic overloaded_error', status: [429], text: /\boverloaded/iu, means: BUSY },
  {
    seen: 'OpenRouter',
    status: [429],
    text: /free-models-per-min/iu,
    means: { kind: 'minute-limit', scope: 'provider' },
  },
  {
    seen: 'Mistral: one request per second over all models',
    dialect: 'mistral',
    status: [429],
    text: /requests rate limit/iu,
    means: { kind: 'minute-limit', scope: 'provider' },
  },
  {
    seen: 'Cloudflare: requests per minute of the account',
    dialect: 'cloudflare',
    status: [429],
    means: { kind: 'minute-limit', scope: 'provider' },
  },
  {
    seen: 'a 429 with a long wait is no minute limit',
    status: [429],
    when: hasLongWait,
    means: { kind: 'day-limit', scope: 'lane', period: 'day', reset: 'said' },
  },
  {
    seen: 'every provider; Zhipu 1302 (concurrency)',
    status: [429],
    means: { kind: 'minute-limit', scope: 'lane' },
  },
];

const REST_ROWS: readonly Row[] = [
  {
    seen: 'Azure, OpenAI',
    code: ['content_filter', 'content_policy_violation'],
    means: { kind: 'useless-answer', flaw: 'refused' },
  },
  {
    seen: 'Groq: the model wrote what is no JSON',
    status: [400],
    code: ['json_validate_failed', 'tool_use_failed'],
    means: { kind: 'useless-answer', flaw: 'not-json' },
  },
  { seen: 'every provider', status: [403], means: { kind: 'forbidden' } },
  {
    seen: 'proxies, captive portals, maintenance pages',
    status: [400, 404, 405],
    when: ({ body }) => body.form === 'html',
    means: BUSY,
  },
  { seen: 'a wrong path, or a gateway that lost its routes', status: [404], means: BUSY },
  { seen: 'every provider', status: [400, 405, 406, 411, 415, 422], means: { kind: 'bad-request' } },
  {
    seen: 'refused before work began: overload, Cloudflare without its origin',
    status: [425, 503, 521, 522, 523, 525, 526, 529, 530],
    means: BUSY,
  },
  {
    seen: 'every provider',
    when: ({ status }) => status === 408 || (status !== null && status >= 500),
    means: BROKEN,
  },
  {
    seen: 'a 200 without an answer: HTML, nothing, no JSON, an error',
    when: ({ status }) => status !== null && status < 300,
    means: BROKEN,
  },
];

/** Every row, in the order they are tried; the last kinds of signs are the loosest. */
export const FAILURE_SIGNS: readonly Row[] = [
  ...SIZE_ROWS,
  ...ACCOUNT_ROWS,
  ...MODEL_ROWS,
  ...LONG_LIMIT_ROWS,
  ...SHORT_LIMIT_ROWS,
  ...REST_ROWS,
];

/** A limit that asks for a longer wait than this is a window longer than a minute. */
const LONGEST_MINUTE_WAIT_MS = 10 * 60_000;

function hasLongWait(evidence: Evidence): boolean {
  const retryAtMs = retryInstant(evidence);
  return retryAtMs !== null && retryAtMs - evidence.nowMs > LONGEST_MINUTE_WAIT_MS;
}

function isSpent(remaining: string | undefined): boolean {
  return remaining !== undefined && remaining.trim() !== '' && Number(remaining) <= 0;
}
