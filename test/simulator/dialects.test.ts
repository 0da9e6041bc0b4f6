import { describe, expect, it } from 'vitest';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import type { SimulatedDialect, SimulatedLimit } from '../../src/simulator/tier.ts';
import { SIMULATED_DIALECTS } from '../../src/simulator/tier.ts';
import type { HandClock } from './serving.ts';
import { chat, handClock, HELLO, instantModel, perMinute, tierOf } from './serving.ts';

const UTC_DAY = { kind: 'calendar', unit: 'day', timeZone: 'UTC' } as const;
const DAY_MS = 86_400_000;

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Starts a tier of the dialect with these limits, makes calls until one is refused, and gives that refusal. */
async function refusalOf(
  dialect: SimulatedDialect,
  limits: readonly SimulatedLimit[],
  clock: HandClock = handClock(),
): Promise<Told> {
  await using simulator = await startSimulator({ tiers: [tierOf({ dialect, limits })], clock });
  for (;;) {
    const told = await tell(await chat(simulator));
    if (told.status !== 200) return told;
  }
}

async function tell(response: Response): Promise<Told> {
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function errorOf(dialect: SimulatedDialect, ask: (simulator: RunningSimulator) => Promise<Response>) {
  const tier = tierOf({
    dialect,
    apiKey: 'right',
    limits: [perMinute('tokens', 2_000)],
    refusesParameters: ['top_k'],
    models: [instantModel({ contextTokens: 4_096, maxOutputTokens: 4_000 })],
  });
  await using simulator = await startSimulator({ tiers: [tier], clock: handClock() });
  return tell(await ask(simulator));
}

/** Of an answer to HELLO, which a simulated model gives back. */
const USAGE = { prompt_tokens: 9, completion_tokens: 5 };

const KEY = { headers: { authorization: 'Bearer right' } };

describe('quota refusals', () => {
  it('are exact in Groq words: limit, used, requested and the wait of a refilling day', async () => {
    const clock = handClock();
    const limits: SimulatedLimit[] = [
      { metric: 'tokens', amount: 100, window: { kind: 'refill', perMs: DAY_MS } },
      { metric: 'requests', amount: 1_000, window: { kind: 'refill', perMs: DAY_MS } },
    ];
    const { status, headers, body } = await refusalOf('groq', limits, clock);
    expect(status).toBe(429);
    expect(body).toMatchObject({ error: { type: 'tokens', code: 'rate_limit_exceeded' } });
    const text = JSON.stringify(body);
    const parts =
      /on tokens per day \(TPD\): Limit (\d+), Used (\d+), Requested (\d+)\. Please try again in (?:(\d+)h)?(?:(\d+)m)?([\d.]+)s\./u.exec(
        text,
      );
    const [limit = 0, used = 0, requested = 0, hours = 0, minutes = 0, seconds = 0] = (parts ?? [])
      .slice(1)
      .map((part) => Number(part ?? 0));
    const waitMs = ((hours * 60 + minutes) * 60 + seconds) * 1_000;
    expect(waitMs).toBeCloseTo(((used + requested - limit) / limit) * DAY_MS, 0);
    expect(headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1_000)));
    expect(headers.get('x-ratelimit-limit-requests')).toBe('1000');
    expect(headers.get('x-ratelimit-limit-tokens')).toBeNull();
  });

  it('come from Gemini as an array with every violated quota and a short delay even for a day', async () => {
    const limits: SimulatedLimit[] = [
      { metric: 'requests', amount: 2, window: UTC_DAY },
      perMinute('requests', 2),
    ];
    const { status, headers, body } = await refusalOf('gemini', limits);
    expect(status).toBe(429);
    expect(body).toMatchObject([
      {
        error: {
          code: 429,
          status: 'RESOURCE_EXHAUSTED',
          details: [
            {
              violations: [
                { quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '2' },
                { quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier', quotaValue: '2' },
              ],
            },
            { retryDelay: '45s' },
          ],
        },
      },
    ]);
    expect([...headers.keys()].filter((name) => /ratelimit|retry/u.test(name))).toEqual([]);
  });

  it('come from OpenRouter with the reset in epoch milliseconds, in headers and body', async () => {
    const { headers, body } = await refusalOf('openrouter', [
      { metric: 'requests', amount: 1, window: UTC_DAY },
    ]);
    const resetAtMs = String(Date.UTC(2026, 10, 21));
    expect(headers.get('x-ratelimit-reset')).toBe(resetAtMs);
    expect(body).toMatchObject({
      error: {
        code: 429,
        message: expect.stringContaining('free-models-per-day'),
        metadata: { headers: { 'X-RateLimit-Reset': resetAtMs }, limit_source: 'openrouter_free_tier_daily' },
      },
    });
    const paidUp = await refusalOf('openrouter', [{ metric: 'tokens', amount: 1_000, window: UTC_DAY }]);
    expect(JSON.stringify(paidUp.body)).toContain('-per-day-high-balance.');
    const minute = await refusalOf('openrouter', [perMinute('requests', 1)]);
    expect(minute.body).toMatchObject({ error: { message: 'Rate limit exceeded: free-models-per-min.' } });
  });

  it('come from Cloudflare with code 4006 for the day and without it for the minute', async () => {
    const day = await refusalOf('cloudflare', [{ metric: 'tokens', amount: 40, window: UTC_DAY }]);
    expect(day.body).toMatchObject({ success: false, errors: [{ code: 4006 }] });
    expect(JSON.stringify(day.body)).toContain('daily free allocation of 10,000 neurons');
    const minute = await refusalOf('cloudflare', [perMinute('requests', 1)]);
    expect(JSON.stringify(minute.body)).not.toContain('4006');
  });

  it('come from Cloudflare with the allocation of a tier that counts Neurons', async () => {
    const model = instantModel({ unitCost: { input: 100, output: 1_000 } });
    const limits = [{ metric: 'units', amount: 1_200, window: UTC_DAY }] as const;
    const tier = tierOf({ dialect: 'cloudflare', limits, models: [model] });
    await using simulator = await startSimulator({ tiers: [tier], clock: handClock() });
    while ((await chat(simulator)).status === 200);
    const { body } = await tell(await chat(simulator));
    expect(JSON.stringify(body)).toContain('daily free allocation of 1,200 neurons');
    const { completion_tokens: outputTokens, prompt_tokens: promptTokens } = USAGE;
    const [used] = simulator.stats().providers['sim']?.limits ?? [];
    const answered = simulator.calls().filter(({ status }) => status === 200).length;
    expect(used?.used).toBeCloseTo((answered * (promptTokens * 100 + outputTokens * 1_000)) / 1_000, 6);
  });

  it('come from Mistral and Cohere in their forms', async () => {
    const mistral = await refusalOf('mistral', [perMinute('tokens', 40)]);
    expect(mistral.body).toMatchObject({ object: 'error', message: 'Tokens rate limit exceeded' });
    expect(mistral.headers.get('x-ratelimit-limit-tokens-minute')).toBe('40');
    const cohere = await refusalOf('cohere', [perMinute('requests', 1)]);
    expect(cohere.body).toMatchObject({
      message: expect.stringContaining('limited to 1 API calls / minute'),
    });
  });

  it('come from Cerebras flat, with resets in float seconds at every answer', async () => {
    const limits: SimulatedLimit[] = [
      { metric: 'tokens', amount: 100, window: { kind: 'refill', perMs: 60_000 } },
      { metric: 'requests', amount: 2_400, window: { kind: 'refill', perMs: DAY_MS } },
    ];
    const { status, headers, body } = await refusalOf('cerebras', limits);
    expect([status, body]).toEqual([
      429,
      {
        message: 'Tokens per minute limit exceeded - too many tokens processed.',
        type: 'too_many_tokens_error',
        param: 'quota',
        code: 'token_quota_exceeded',
      },
    ]);
    expect(headers.get('x-ratelimit-limit-requests-day')).toBe('2400');
    expect(headers.get('x-ratelimit-reset-requests-day')).toMatch(/^\d+(?:\.\d+)?$/u);
    expect(Number(headers.get('x-ratelimit-reset-tokens-minute'))).toBeLessThanOrEqual(60);
    expect(headers.get('retry-after')).toBeNull();
    const daily = await refusalOf('cerebras', [{ metric: 'requests', amount: 1, window: UTC_DAY }]);
    expect(daily.body).toMatchObject({ code: 'request_quota_exceeded' });
    expect(daily.headers.get('x-ratelimit-reset-requests-day')).toBe('43200');
  });

  it.each([
    ['session', { kind: 'session', perMs: 18_000_000 }],
    ['weekly', { kind: 'calendar', unit: 'week', timeZone: 'UTC' }],
    ['monthly', { kind: 'calendar', unit: 'month', timeZone: 'UTC' }],
  ] as const)('come from Ollama naming the %s limit and nothing else', async (name, window) => {
    const { status, headers, body } = await refusalOf('ollama', [{ metric: 'tokens', amount: 40, window }]);
    expect([status, body]).toMatchObject([
      429,
      { error: { message: expect.stringContaining(`reached your ${name} usage limit`) } },
    ]);
    expect([...headers.keys()].filter((header) => /ratelimit|retry/u.test(header))).toEqual([]);
  });

  it('come from NVIDIA, Zhipu and Alibaba in their forms', async () => {
    const limits = [perMinute('tokens', 40)];
    expect((await refusalOf('nvidia', limits)).body).toEqual({ status: 429, title: 'Too Many Requests' });
    expect((await refusalOf('zhipu', limits)).body).toMatchObject({ error: { code: '1303' } });
    const alibaba = await refusalOf('alibaba', limits);
    expect([alibaba.status, alibaba.body]).toMatchObject([
      429,
      { error: { message: expect.stringContaining('You exceeded your current quota') } },
    ]);
    const month = { kind: 'calendar', unit: 'month', timeZone: 'UTC' } as const;
    const spent = await refusalOf('alibaba', [{ metric: 'tokens', amount: 40, window: month }]);
    expect([spent.status, spent.headers.get('retry-after')]).toEqual([403, null]);
  });

  it('come from OpenAI with retry-after in seconds and milliseconds', async () => {
    const { headers } = await refusalOf('openai', [perMinute('requests', 1)]);
    expect([headers.get('retry-after'), headers.get('retry-after-ms')]).toEqual(['60', '60000']);
    expect([
      headers.get('x-ratelimit-remaining-requests'),
      headers.get('x-ratelimit-reset-requests'),
    ]).toEqual(['0', '1m0s']);
  });
});

describe('headers of other replies', () => {
  const limits: SimulatedLimit[] = [
    { metric: 'requests', amount: 1_000, window: { kind: 'refill', perMs: DAY_MS } },
  ];
  const remainingAfter = async (dialect: SimulatedDialect, body: unknown, key: string) => {
    const tier = tierOf({ dialect, limits, apiKey: 'right', refusesParameters: ['top_k'] });
    await using simulator = await startSimulator({ tiers: [tier], clock: handClock() });
    const response = await chat(simulator, body, { headers: { authorization: `Bearer ${key}` } });
    await response.arrayBuffer();
    return response.headers.get('x-ratelimit-remaining-requests');
  };

  it('tell the day of a known caller of Groq whatever the answer is, and nothing to a stranger', async () => {
    expect(await remainingAfter('groq', HELLO, 'right')).toBe('999');
    expect(await remainingAfter('groq', { ...HELLO, top_k: 3 }, 'right')).toBe('1000');
    expect(await remainingAfter('groq', HELLO, 'wrong')).toBeNull();
  });

  it('tell the minute and the month of Mistral in tokens, with what the call took', async () => {
    const month = { kind: 'calendar', unit: 'month', timeZone: 'UTC' } as const;
    const tier = tierOf({
      dialect: 'mistral',
      limits: [perMinute('tokens', 500), { metric: 'tokens', amount: 4_000, window: month }],
    });
    await using simulator = await startSimulator({ tiers: [tier], clock: handClock() });
    const { headers } = await chat(simulator);
    const cost = Number(headers.get('x-ratelimit-tokens-query-cost'));
    expect(cost).toBe(USAGE.prompt_tokens + USAGE.completion_tokens);
    expect(headers.get('x-ratelimit-remaining-tokens-minute')).toBe(String(500 - cost));
    expect(headers.get('x-ratelimit-remaining-tokens-month')).toBe(String(4_000 - cost));
  });
});

describe.each(SIMULATED_DIALECTS)('the %s dialect', (dialect) => {
  it('answers a wrong key with 401 and never repeats it', async () => {
    const wrong = { headers: { authorization: 'Bearer sk-wrong-key' } };
    const { status, body } = await errorOf(dialect, (simulator) => chat(simulator, HELLO, wrong));
    expect(status).toBe(401);
    expect(JSON.stringify(body)).not.toContain('sk-wrong-key');
  });

  it('names the unknown model in a 404', async () => {
    const { status, body } = await errorOf(dialect, (simulator) =>
      chat(simulator, { ...HELLO, model: 'meta/x:free' }, KEY),
    );
    expect(status).toBe(404);
    expect(JSON.stringify(body)).toContain('meta/x:free');
  });

  it('says 413 in Groq words to what is larger than a token window', async () => {
    const { status, body } = await errorOf(dialect, (simulator) =>
      chat(simulator, { ...HELLO, max_tokens: 1_999 }, KEY),
    );
    expect(status).toBe(413);
    expect(JSON.stringify(body)).toMatch(
      /Request too large for model .* on tokens per minute \(TPM\): Limit 2000, Requested 2008/u,
    );
  });

  it('refuses a prompt beyond the context with 400', async () => {
    const content = 'word '.repeat(4_200);
    const { status } = await errorOf(dialect, (simulator) =>
      chat(simulator, { ...HELLO, messages: [{ role: 'user', content }] }, KEY),
    );
    expect(status).toBe(400);
  });

  it('names a parameter it does not take', async () => {
    const { status, body } = await errorOf(dialect, (simulator) =>
      chat(simulator, { ...HELLO, top_k: 3 }, KEY),
    );
    expect(status).toBe(dialect === 'mistral' ? 422 : 400);
    expect(JSON.stringify(body)).toContain('top_k');
    expect(Array.isArray(body)).toBe(dialect === 'gemini');
  });
});
