import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyFailure } from '../../../src/core/failures/classify-failure.ts';
import type { ProviderSignal, TransportFault } from '../../../src/core/failures/evidence.ts';
import type { Failure } from '../../../src/core/failures/failure.ts';
import type { Dialect } from '../../../src/core/model.ts';

/** Fri, 20 Nov 2026 07:00:00 GMT */
const NOW_MS = 1_795_158_000_000;
const UTC_MIDNIGHT_MS = NOW_MS + 17 * 3_600_000;

const DIALECTS: readonly Dialect[] = [
  'openai',
  'gemini',
  'groq',
  'openrouter',
  'cloudflare',
  'mistral',
  'cohere',
];

function signal(
  dialect: Dialect,
  status: number | null,
  body: unknown,
  headers: Record<string, string> = {},
): ProviderSignal {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, bodyText, dialect, model: 'llama-8b', nowMs: NOW_MS };
}

const groq = (what: string, rest: string): unknown => ({
  error: {
    message: `Rate limit reached for model \`x\` in organization \`org_1\` service tier \`on_demand\` on ${what}: ${rest}`,
    type: 'tokens',
    code: 'rate_limit_exceeded',
  },
});

const gemini = (message: string, quotaIds: readonly string[], retryDelay?: string): unknown => [
  {
    error: {
      code: 429,
      message,
      status: 'RESOURCE_EXHAUSTED',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
          violations: quotaIds.map((quotaId) => ({ quotaId })),
        },
        ...(retryDelay === undefined
          ? []
          : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }]),
      ],
    },
  },
];

const openrouterDaily = {
  error: {
    message:
      'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day',
    code: 429,
    metadata: {
      headers: { 'X-RateLimit-Limit': '50', 'X-RateLimit-Reset': String(UTC_MIDNIGHT_MS) },
      provider_name: null,
    },
  },
};

type Case = readonly [name: string, ProviderSignal, Partial<Failure>];

const CASES: readonly Case[] = [
  [
    'Gemini PerDay overrules its short RetryInfo',
    signal(
      'gemini',
      429,
      gemini(
        'You exceeded your current quota',
        [
          'GenerateRequestsPerMinutePerProjectPerModel-FreeTier',
          'GenerateRequestsPerDayPerProjectPerModel-FreeTier',
        ],
        '17s',
      ),
    ),
    { kind: 'day-limit', scope: 'lane', period: 'day', resetAtMs: null },
  ],
  [
    'Gemini PerMinute waits its RetryInfo',
    signal(
      'gemini',
      429,
      gemini(
        'You exceeded your current quota, please check your plan and billing details',
        ['GenerateContentInputTokensPerModelPerMinute-FreeTier'],
        '17s',
      ),
    ),
    { kind: 'minute-limit', scope: 'lane', retryAtMs: NOW_MS + 17_000 },
  ],
  [
    'Gemini in prose',
    signal('gemini', 429, gemini('Please retry in 45.578569677s.', [])),
    { kind: 'minute-limit', retryAtMs: NOW_MS + 45_579 },
  ],
  [
    'Gemini bare',
    signal('gemini', 429, [
      { error: { code: 429, message: 'Resource has been exhausted (e.g. check quota).' } },
    ]),
    { kind: 'minute-limit', retryAtMs: null },
  ],
  [
    'Gemini limit: 0',
    signal(
      'gemini',
      429,
      gemini('Quota exceeded for metric: free_tier_requests, limit: 0', [
        'GenerateRequestsPerDayPerProjectPerModel-FreeTier',
      ]),
    ),
    { kind: 'gone' },
  ],
  ['Gemini limit: 0.5 is no zero', signal('gemini', 429, gemini('limit: 05', [])), { kind: 'minute-limit' }],
  [
    'Gemini 400 names the key',
    signal('gemini', 400, [
      {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
          details: [{ reason: 'API_KEY_INVALID' }],
        },
      },
    ]),
    { kind: 'bad-key' },
  ],
  [
    'Gemini unknown field',
    signal('gemini', 400, [
      {
        error: {
          code: 400,
          message: 'Invalid JSON payload received. Unknown name "frequency_penalty": Cannot find field.',
          status: 'INVALID_ARGUMENT',
        },
      },
    ]),
    { kind: 'bad-request', parameter: 'frequency_penalty' },
  ],
  [
    'Gemini too long',
    signal('gemini', 400, [
      {
        error: {
          message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
        },
      },
    ]),
    { kind: 'too-large', limitTokens: 1_048_576 },
  ],

  [
    'Groq TPD',
    signal(
      'groq',
      429,
      groq(
        'tokens per day (TPD)',
        'Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.',
      ),
      { 'retry-after': '579' },
    ),
    { kind: 'day-limit', scope: 'lane', resetAtMs: NOW_MS + 578_016 },
  ],
  [
    'Groq RPD',
    signal(
      'groq',
      429,
      groq('requests per day (RPD)', 'Limit 1000, Used 1000, Requested 1. Please try again in 1m26.4s.'),
    ),
    { kind: 'day-limit', resetAtMs: NOW_MS + 86_400 },
  ],
  [
    'Groq TPM',
    signal(
      'groq',
      429,
      groq('tokens per minute (TPM)', 'Limit 8000, Used 7500, Requested 1500. Please try again in 7.66s.'),
    ),
    { kind: 'minute-limit', scope: 'lane', retryAtMs: NOW_MS + 7_660 },
  ],
  [
    'Groq in milliseconds',
    signal(
      'groq',
      429,
      groq('requests per minute (RPM)', 'Limit 30, Used 30, Requested 1. Please try again in 120ms.'),
    ),
    { kind: 'minute-limit', retryAtMs: NOW_MS + 120 },
  ],
  [
    'Groq by header alone',
    signal(
      'groq',
      429,
      { error: { message: 'Too many' } },
      { 'Retry-After': '3', 'X-RateLimit-Reset-Tokens': '59s' },
    ),
    { kind: 'minute-limit', retryAtMs: NOW_MS + 3_000 },
  ],
  [
    'Groq 413',
    signal('groq', 413, {
      error: {
        message: 'Request too large for model `x` on tokens per minute (TPM): Limit 8000, Requested 9100',
      },
    }),
    { kind: 'too-large', limitTokens: 8_000 },
  ],
  [
    'Groq 429 that can never fit',
    signal(
      'groq',
      429,
      groq('tokens per minute (TPM)', 'Limit 8000, Used 0, Requested 9000. Please try again in 7s.'),
    ),
    { kind: 'too-large', limitTokens: 8_000 },
  ],
  [
    'Groq decommissioned',
    signal('groq', 400, {
      error: {
        message: 'The model `x` has been decommissioned and is no longer supported.',
        code: 'model_decommissioned',
      },
    }),
    { kind: 'gone' },
  ],
  [
    'Groq failed generation',
    signal('groq', 400, {
      error: { message: 'Failed to generate JSON', code: 'json_validate_failed', failed_generation: '{' },
    }),
    { kind: 'useless-answer', flaw: 'not-json', usage: null },
  ],
  [
    'Groq unsupported property',
    signal('groq', 400, { error: { message: "property 'logprobs' is unsupported" } }),
    { kind: 'bad-request', parameter: 'logprobs' },
  ],

  [
    'OpenRouter daily',
    signal('openrouter', 429, openrouterDaily),
    { kind: 'day-limit', scope: 'provider', period: 'day', resetAtMs: UTC_MIDNIGHT_MS },
  ],
  [
    'OpenRouter daily inside a 200',
    signal('openrouter', 200, openrouterDaily),
    { kind: 'day-limit', scope: 'provider' },
  ],
  [
    'OpenRouter daily by limit_source',
    signal('openrouter', 429, {
      error: {
        message: 'Rate limit exceeded',
        code: 429,
        metadata: { limit_source: 'openrouter_free_tier_daily' },
      },
    }),
    { kind: 'day-limit', scope: 'provider', resetAtMs: UTC_MIDNIGHT_MS },
  ],
  [
    'OpenRouter per minute',
    signal(
      'openrouter',
      429,
      { error: { message: 'Rate limit exceeded: free-models-per-min' } },
      { 'X-RateLimit-Reset': String(NOW_MS + 9_000) },
    ),
    { kind: 'minute-limit', scope: 'provider', retryAtMs: NOW_MS + 9_000 },
  ],
  [
    'OpenRouter upstream busy',
    signal('openrouter', 429, {
      error: {
        message: 'Provider returned error',
        code: 429,
        metadata: { raw: 'x is temporarily rate-limited upstream', provider_name: 'Chutes' },
      },
    }),
    { kind: 'sick', mayHaveWorked: false },
  ],
  [
    'OpenRouter upstream broken',
    signal('openrouter', 502, {
      error: { message: 'boom', code: 502, metadata: { provider_name: 'Chutes' } },
    }),
    { kind: 'sick', mayHaveWorked: true },
  ],
  [
    'OpenRouter 402 for size',
    signal('openrouter', 402, { error: { message: 'Prompt tokens limit exceeded: 69120 > 36608' } }),
    { kind: 'too-large', limitTokens: 36_608 },
  ],
  [
    'OpenRouter 402 for money',
    signal('openrouter', 402, { error: { message: 'Insufficient credits' } }),
    { kind: 'no-money' },
  ],
  [
    'OpenRouter without endpoints',
    signal('openrouter', 404, { error: { message: 'No endpoints found for llama.' } }),
    { kind: 'gone' },
  ],

  [
    'Cloudflare 4006',
    signal('cloudflare', 429, {
      errors: [{ code: 4006, message: 'you have used up your daily free allocation of 10,000 neurons' }],
      success: false,
    }),
    { kind: 'day-limit', scope: 'provider', resetAtMs: UTC_MIDNIGHT_MS },
  ],
  [
    'Cloudflare per minute',
    signal('cloudflare', 429, { errors: [{ message: 'rate limited' }] }),
    { kind: 'minute-limit', scope: 'provider' },
  ],
  [
    'Cloudflare 3040',
    signal('cloudflare', 429, { errors: [{ code: 3040, message: 'Capacity temporarily exceeded' }] }),
    { kind: 'sick', mayHaveWorked: false },
  ],
  [
    'Cloudflare without origin',
    signal('cloudflare', 522, '<!DOCTYPE html><title>522: Connection timed out</title>'),
    { kind: 'sick', mayHaveWorked: false },
  ],

  [
    'Mistral per second',
    signal('mistral', 429, { object: 'error', message: 'Requests rate limit exceeded' }),
    { kind: 'minute-limit', scope: 'provider' },
  ],
  [
    'Mistral capacity',
    signal('mistral', 429, {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'invalid_request_error',
    }),
    { kind: 'sick', mayHaveWorked: false },
  ],
  [
    'Mistral month',
    signal(
      'mistral',
      429,
      { message: 'Requests rate limit exceeded' },
      { 'x-ratelimit-remaining-tokens-month': '0' },
    ),
    { kind: 'day-limit', scope: 'provider', period: 'month', resetAtMs: null },
  ],
  [
    'Mistral 422',
    signal('mistral', 422, {
      detail: [{ type: 'extra_forbidden', loc: ['body', 'top_k'], msg: 'Extra inputs are not permitted' }],
    }),
    { kind: 'bad-request', parameter: 'top_k' },
  ],

  [
    'Cohere minute',
    signal('cohere', 429, {
      message: 'You are using a Trial key, which is limited to 20 API calls / minute',
    }),
    { kind: 'minute-limit', scope: 'lane' },
  ],
  [
    'Cohere month',
    signal('cohere', 429, {
      message: 'You are using a Trial key, which is limited to 1000 API calls / month',
    }),
    { kind: 'day-limit', scope: 'provider', period: 'month' },
  ],

  [
    'Cerebras minute',
    signal('openai', 429, { message: 'Tokens per minute limit exceeded - too many tokens processed.' }),
    { kind: 'minute-limit' },
  ],
  [
    'Cerebras day',
    signal(
      'openai',
      429,
      { message: 'limit exceeded' },
      { 'x-ratelimit-remaining-requests-day': '0', 'x-ratelimit-reset-requests-day': '33011.382867097855' },
    ),
    { kind: 'day-limit', resetAtMs: NOW_MS + 33_011_383 },
  ],
  [
    'NVIDIA minute',
    signal('openai', 429, { status: 429, title: 'Too Many Requests' }),
    { kind: 'minute-limit' },
  ],
  [
    'NVIDIA degraded',
    signal('openai', 400, { detail: "Function id 'f': DEGRADED function cannot be invoked" }),
    { kind: 'sick', mayHaveWorked: false },
  ],
  [
    'NVIDIA end of life',
    signal('openai', 404, {
      detail: 'The model has reached its end of life on 2026-10-01 and is no longer available',
    }),
    { kind: 'gone' },
  ],
  [
    'Alibaba minute despite its wording',
    signal('openai', 429, {
      error: {
        message: 'Allocated quota exceeded, please increase your quota limit',
        code: 'insufficient_quota',
      },
    }),
    { kind: 'minute-limit' },
  ],
  [
    'Alibaba 403',
    signal('openai', 403, {
      error: {
        message: 'The free tier of the model has been exhausted.',
        code: 'AllocationQuota.FreeTierOnly',
      },
    }),
    { kind: 'no-money' },
  ],
  [
    'OpenAI insufficient_quota',
    signal('openai', 429, {
      error: {
        message: 'You exceeded your current quota',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      },
    }),
    { kind: 'no-money' },
  ],
  [
    'OpenAI rate',
    signal(
      'openai',
      429,
      { error: { message: 'Rate limit', code: 'rate_limit_exceeded' } },
      { 'retry-after-ms': '1500', 'retry-after': '2' },
    ),
    { kind: 'minute-limit', retryAtMs: NOW_MS + 1_500 },
  ],
  [
    'OpenAI context',
    signal('openai', 400, {
      error: {
        message:
          "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        code: 'context_length_exceeded',
        param: 'messages',
      },
    }),
    { kind: 'too-large', limitTokens: 8_192 },
  ],
  [
    'OpenAI parameter',
    signal('openai', 400, {
      error: { message: "Unsupported value: 'temperature'", param: 'temperature', code: 'unsupported_value' },
    }),
    { kind: 'bad-request', parameter: 'temperature' },
  ],
  [
    'OpenAI model',
    signal('openai', 404, { error: { message: 'The model `x` does not exist', code: 'model_not_found' } }),
    { kind: 'gone' },
  ],
  [
    'Azure filter',
    signal('openai', 400, { error: { message: 'filtered', code: 'content_filter' } }),
    { kind: 'useless-answer', flaw: 'refused' },
  ],
  [
    'Zhipu concurrency',
    signal('openai', 429, { error: { code: '1302', message: 'High concurrency usage of this API' } }),
    { kind: 'minute-limit' },
  ],
  [
    'Zhipu balance',
    signal('openai', 429, { error: { code: '1113', message: 'no balance' } }),
    { kind: 'no-money' },
  ],
  [
    'Zhipu length',
    signal('openai', 400, { error: { code: '1261', message: 'Prompt exceeds max length' } }),
    { kind: 'too-large' },
  ],
  [
    'Anthropic overloaded',
    signal('openai', 529, { error: { type: 'overloaded_error', message: 'Overloaded' } }),
    { kind: 'sick', mayHaveWorked: false },
  ],
  [
    'Ollama Cloud subscription',
    signal('openai', 403, { error: 'this model requires a subscription' }),
    { kind: 'gone' },
  ],
  [
    'Ollama Cloud week',
    signal('openai', 429, { error: 'you have reached your weekly usage limit' }),
    { kind: 'day-limit', scope: 'provider', period: 'week' },
  ],
  [
    'GitHub Models',
    signal('openai', 410, { error: { code: 'github_models_retirement_brownout' } }),
    { kind: 'gone' },
  ],
  [
    'SambaNova',
    signal('openai', 402, {
      error: { code: 'PAYMENT_METHOD_REQUIRED', message: 'A payment method is required' },
    }),
    { kind: 'no-money' },
  ],
  [
    'ModelScope retired',
    signal('openai', 429, { error: { message: 'insufficient balance (1008)' } }),
    { kind: 'gone' },
  ],

  ['401', signal('openai', 401, 'Unauthorized'), { kind: 'bad-key' }],
  ['a lone 403', signal('openai', 403, { error: { message: 'Forbidden' } }), { kind: 'forbidden' }],
  [
    'a 403 that names the key',
    signal('gemini', 403, [{ error: { message: 'Your API key was reported as leaked.' } }]),
    { kind: 'bad-key' },
  ],
  ['a 404 that names the model', signal('openai', 404, 'no such thing: llama-8b'), { kind: 'gone' }],
  [
    'a 404 that does not',
    signal('openai', 404, '<html><title>nginx</title></html>'),
    { kind: 'sick', mayHaveWorked: false },
  ],
  [
    'nginx 413',
    signal('openai', 413, '<html><title>413 Request Entity Too Large</title></html>'),
    { kind: 'too-large', limitTokens: null },
  ],
  [
    'a 429 with a wait of hours',
    signal('openai', 429, '', { 'retry-after': '43200' }),
    { kind: 'day-limit', resetAtMs: NOW_MS + 43_200_000 },
  ],
  [
    'a 429 with an HTTP date',
    signal('openai', 429, '', { 'retry-after': 'Fri, 20 Nov 2026 07:00:30 GMT' }),
    { kind: 'minute-limit', retryAtMs: NOW_MS + 30_000 },
  ],
  ['a 500', signal('openai', 500, 'oops'), { kind: 'sick', mayHaveWorked: true }],
  [
    'a 503 with a wait',
    signal('openai', 503, '{"error":{"message":"Loading model"}}', { 'retry-after': '20' }),
    { kind: 'sick', mayHaveWorked: false, retryAtMs: NOW_MS + 20_000 },
  ],
  [
    'HTML in a 200',
    signal('openai', 200, '<!doctype html><html><title>Sign in</title></html>'),
    { kind: 'sick', mayHaveWorked: true },
  ],
  ['an empty 200', signal('openai', 200, ''), { kind: 'sick', mayHaveWorked: true }],
  ['a 418', signal('openai', 418, ''), { kind: 'unknown', status: 418 }],
];

describe('classifyFailure', () => {
  it.each(CASES)('knows %s', (_name, given, expected) => {
    expect(classifyFailure(given)).toMatchObject(expected);
  });

  it.each<[TransportFault, Partial<Failure>]>([
    ['timeout', { kind: 'sick', mayHaveWorked: true }],
    ['reset', { kind: 'sick', mayHaveWorked: true }],
    ['unknown', { kind: 'sick', mayHaveWorked: true }],
    ['refused', { kind: 'unreachable' }],
    ['dns', { kind: 'unreachable' }],
    ['tls', { kind: 'unreachable' }],
    ['aborted', { kind: 'aborted' }],
  ])('knows a connection that ended with %s', (transport, expected) => {
    expect(classifyFailure({ ...signal('openai', null, ''), transport })).toMatchObject(expected);
  });

  it('never shows a key in the reason', () => {
    const keys = [
      'sk-abcdEFGH1234567890',
      'gsk_abcdefgh12345678',
      'AIzaSyA1234567890abcdefghijk',
      'Bearer abc.def',
      '0123456789abcdef0123456789abcdef',
    ];
    for (const key of keys) {
      const { reason } = classifyFailure(
        signal('openai', 401, { error: { message: `Incorrect API key provided: ${key}` } }),
      );
      expect(reason).toContain('[redacted]');
      expect(reason).not.toContain(key.slice(-8));
    }
  });

  it('answers every signal with one valid failure', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
    const nearMiss = fc
      .record({
        error: fc.record({
          message: fc.string(),
          code: fc.oneof(fc.string(), fc.integer()),
          details: fc.jsonValue(),
          param: fc.string(),
        }),
      })
      .map((value) => JSON.stringify(value));
    const signals = fc.record({
      status: fc.option(fc.integer({ min: 100, max: 599 })),
      headers: fc.dictionary(
        fc.constantFrom('Retry-After', 'x-ratelimit-reset', 'retry-after-ms', 'x'),
        fc.string(),
      ),
      bodyText: fc.oneof(fc.string({ unit: 'binary' }), json, nearMiss),
      dialect: fc.constantFrom(...DIALECTS),
      model: fc.string(),
      nowMs: fc.constant(NOW_MS),
    });
    fc.assert(
      fc.property(signals, (given) => {
        const failure = classifyFailure(given);
        expect(failure.reason.length).toBeGreaterThan(0);
        expect(failure.reason.length).toBeLessThanOrEqual(200);
        expect(failure.reason.isWellFormed()).toBe(true);
        const atMs = instantOf(failure);
        expect(atMs === null || isWithinAMonth(atMs)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

function instantOf(failure: Failure): number | null {
  if (failure.kind === 'minute-limit' || failure.kind === 'sick') return failure.retryAtMs;
  return failure.kind === 'day-limit' ? failure.resetAtMs : null;
}

function isWithinAMonth(atMs: number): boolean {
  return Number.isInteger(atMs) && atMs >= NOW_MS && atMs <= NOW_MS + 33 * 86_400_000;
}
