import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dialect, DIALECTS } from '../../../src/core/model.ts';
import { readStandings, readToldLimits } from '../../../src/core/quota/read-standings.ts';
import { STANDING_ROWS } from '../../../src/core/quota/standing-headers.ts';
import type { Standing } from '../../../src/core/quota/standing.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;

type Case = readonly [name: string, Dialect, Readonly<Record<string, string>>, readonly Standing[]];

/** Written from the facts, `limitHeaders` of each provider. */
const CASES: readonly Case[] = [
  [
    'Groq: requests are the day, tokens the minute',
    'groq',
    {
      'x-ratelimit-limit-requests': '1000',
      'x-ratelimit-remaining-requests': '370',
      'x-ratelimit-reset-requests': '15h7m12s',
      'x-ratelimit-limit-tokens': '8000',
      'x-ratelimit-remaining-tokens': '500',
      'x-ratelimit-reset-tokens': '56.25s',
    },
    [
      { scope: 'lane', metric: 'requests', periodMs: DAY_MS, amount: 1_000, remaining: 370 },
      { scope: 'lane', metric: 'tokens', periodMs: MINUTE_MS, amount: 8_000, remaining: 500 },
    ],
  ],
  [
    'Cerebras: the names tell',
    'cerebras',
    {
      'X-RateLimit-Limit-Requests-Day': '14400',
      'X-RateLimit-Remaining-Requests-Day': '0',
      'X-RateLimit-Limit-Tokens-Minute': '30000',
      'X-RateLimit-Remaining-Tokens-Minute': '1200',
    },
    [
      { scope: 'lane', metric: 'requests', periodMs: DAY_MS, amount: 14_400, remaining: 0 },
      { scope: 'lane', metric: 'tokens', periodMs: MINUTE_MS, amount: 30_000, remaining: 1_200 },
    ],
  ],
  [
    'Mistral: minute, five minutes and month of the organization',
    'mistral',
    {
      'x-ratelimit-limit-tokens-minute': '50000',
      'x-ratelimit-remaining-tokens-minute': '41000',
      'x-ratelimit-limit-tokens-5-minute': '250000',
      'x-ratelimit-remaining-tokens-5-minute': '240000',
      'x-ratelimit-limit-tokens-month': '4000000',
      'x-ratelimit-remaining-tokens-month': '3100000',
      'x-ratelimit-tokens-query-cost': '9000',
    },
    [
      { scope: 'provider', metric: 'tokens', periodMs: MINUTE_MS, amount: 50_000, remaining: 41_000 },
      { scope: 'provider', metric: 'tokens', periodMs: 5 * MINUTE_MS, amount: 250_000, remaining: 240_000 },
      { scope: 'provider', metric: 'tokens', periodMs: MONTH_MS, amount: 4_000_000, remaining: 3_100_000 },
    ],
  ],
  [
    'Mistral: older names, and the requests that only some models have',
    'mistral',
    {
      'x-ratelimitbysize-limit-minute': '500000',
      'x-ratelimitbysize-remaining-minute': '499000',
      'x-ratelimit-limit-req-minute': '60',
      'x-ratelimit-remaining-req-minute': '59',
    },
    [
      { scope: 'provider', metric: 'tokens', periodMs: MINUTE_MS, amount: 500_000, remaining: 499_000 },
      { scope: 'lane', metric: 'requests', periodMs: MINUTE_MS, amount: 60, remaining: 59 },
    ],
  ],
  [
    'OpenRouter: of the limit that refused, whichever it is',
    'openrouter',
    { 'X-RateLimit-Limit': '50', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1795219200000' },
    [{ scope: 'provider', metric: 'requests', periodMs: null, amount: 50, remaining: 0 }],
  ],
  [
    'OpenAI, Azure, LiteLLM: no window is named',
    'openai',
    {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-limit-tokens': '30000',
      'x-ratelimit-remaining-tokens': '29000',
    },
    [
      { scope: 'lane', metric: 'requests', periodMs: null, amount: 500, remaining: 499 },
      { scope: 'lane', metric: 'tokens', periodMs: null, amount: 30_000, remaining: 29_000 },
    ],
  ],
  [
    'Together: names of its own',
    'openai',
    {
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-tokenlimit-limit': '60000',
      'x-tokenlimit-remaining': '58000',
    },
    [
      { scope: 'lane', metric: 'requests', periodMs: null, amount: 10, remaining: 9 },
      { scope: 'lane', metric: 'tokens', periodMs: null, amount: 60_000, remaining: 58_000 },
    ],
  ],
  [
    'SambaNova: the day beside the rest',
    'openai',
    {
      'x-ratelimit-limit-requests': '20',
      'x-ratelimit-remaining-requests': '19',
      'x-ratelimit-limit-requests-day': '40',
      'x-ratelimit-remaining-requests-day': '12',
    },
    [
      { scope: 'lane', metric: 'requests', periodMs: null, amount: 20, remaining: 19 },
      { scope: 'lane', metric: 'requests', periodMs: DAY_MS, amount: 40, remaining: 12 },
    ],
  ],
  [
    'Anthropic',
    'openai',
    {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-tokens-limit': '40000',
      'anthropic-ratelimit-tokens-remaining': '39000',
    },
    [
      { scope: 'provider', metric: 'requests', periodMs: null, amount: 50, remaining: 49 },
      { scope: 'provider', metric: 'tokens', periodMs: null, amount: 40_000, remaining: 39_000 },
    ],
  ],
  [
    'ModelScope',
    'openai',
    { 'modelscope-ratelimit-requests-limit': '2000', 'modelscope-ratelimit-requests-remaining': '1990' },
    [{ scope: 'provider', metric: 'requests', periodMs: null, amount: 2_000, remaining: 1_990 }],
  ],
  [
    'Cohere',
    'cohere',
    { 'x-trial-endpoint-call-limit': '20', 'x-trial-endpoint-call-remaining': '19' },
    [{ scope: 'lane', metric: 'requests', periodMs: null, amount: 20, remaining: 19 }],
  ],
  ['a limit without what is left of it', 'groq', { 'x-ratelimit-limit-requests': '1000' }, []],
  [
    'what is left without its limit',
    'groq',
    { 'x-ratelimit-remaining-requests': ' 370 ' },
    [{ scope: 'lane', metric: 'requests', periodMs: DAY_MS, amount: null, remaining: 370 }],
  ],
];

describe('readStandings', () => {
  it.each(CASES)('reads %s', (_name, dialect, headers, standings) => {
    expect(readStandings(dialect, headers)).toEqual(standings);
  });

  it.each([
    ['negative', '1000', '-1'],
    ['no number', '1000', 'NaN'],
    ['empty', '1000', ''],
    ['fractional', '1000', '3.5'],
    ['in powers', '1000', '1e2'],
    ['huge', '9999999999999999', '9999999999999999'],
    ['more than there is', '1000', '1001'],
    ['of nothing', '0', '0'],
    ['of no number', 'unlimited', '5'],
  ])('leaves out what is %s, and that alone', (_name, limit, remaining) => {
    const headers = {
      'x-ratelimit-limit-requests': limit,
      'x-ratelimit-remaining-requests': remaining,
      'x-ratelimit-limit-tokens': '8000',
      'x-ratelimit-remaining-tokens': '500',
    };
    expect(readStandings('groq', headers).map(({ metric }) => metric)).toEqual(['tokens']);
  });

  it('tells one standing for each limit, within its bounds, whatever the headers', () => {
    fc.assert(
      fc.property(fc.constantFrom(...DIALECTS), anyHeaders(), (dialect, headers) => {
        const standings = readStandings(dialect, headers);
        const limits = standings.map(({ scope, metric, periodMs }) => `${scope} ${metric} ${periodMs}`);
        expect(new Set(limits).size).toBe(limits.length);
        for (const { amount, remaining } of standings) {
          expect(Number.isSafeInteger(remaining) && remaining >= 0).toBe(true);
          expect(amount === null || (Number.isSafeInteger(amount) && amount >= Math.max(1, remaining))).toBe(
            true,
          );
        }
      }),
    );
  });
});

describe('readToldLimits', () => {
  it('tells the reset of Cerebras, and not when the bucket of Groq is full', () => {
    const cerebras = {
      'x-ratelimit-remaining-requests-day': '5',
      'x-ratelimit-reset-requests-day': '33011.382867097855',
    };
    const groq = { 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '2m59.56s' };
    expect(readToldLimits('cerebras', cerebras)).toMatchObject([{ resetText: '33011.382867097855' }]);
    expect(readToldLimits('groq', groq)).toMatchObject([{ resetText: null }]);
  });
});

/** Known names with likely and unlikely values, and names that nobody knows. */
function anyHeaders(): fc.Arbitrary<Record<string, string>> {
  const rows = Object.values(STANDING_ROWS).flat();
  const known = rows.flatMap(({ names }) => names.flatMap(({ limit, remaining }) => [limit, remaining]));
  const name = fc.oneof(fc.constantFrom(...known), fc.string());
  const value = fc.oneof(
    fc.nat(20).map(String),
    fc.integer().map(String),
    fc.double().map(String),
    fc.string(),
  );
  return fc.dictionary(name, value, { maxKeys: 12 });
}
