import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Limit } from '../../src/core/model.ts';
import { leavesNothing, lessReserve } from '../../src/config/reserve.ts';
import { problemsOf, resolve } from './resolve.ts';

describe('what a reserve leaves', () => {
  const MINUTE = { kind: 'rolling', perMs: 60_000 } as const;

  test.each<[string, readonly (readonly [number, number | undefined])[]]>([
    [
      '20%',
      [
        [24, 6],
        [800, 200],
        [6_400, 1_600],
        [160_000, 40_000],
      ],
    ],
    [
      '5',
      [
        [25, 5],
        [995, 5],
        [8_000, undefined],
        [200_000, undefined],
      ],
    ],
    [
      '{ requests: 5, tokens: 2000 }',
      [
        [25, 5],
        [995, 5],
        [6_000, 2_000],
        [198_000, 2_000],
      ],
    ],
  ])('%s of every limit of Groq', (reserve, expected) => {
    const config = resolve(`providers:\n  groq: { reserve: ${reserve} }`);
    const limits = config.providers[0]?.lanes[0]?.limits ?? [];
    expect(limits.map(({ amount, reserved }) => [amount, reserved])).toEqual(expected);
  });

  test('without one nothing is said to be reserved', () => {
    const limits = resolve('providers:\n  groq: {}').providers[0]?.lanes[0]?.limits ?? [];
    expect(limits.filter((limit) => 'reserved' in limit)).toEqual([]);
  });

  test('a share leaves at least 1, so that one call a second can have one', () => {
    const limits = resolve('providers:\n  mistral: { reserve: 99% }').providers[0]?.limits ?? [];
    expect(limits.map(({ amount, reserved }) => [amount, reserved])).toEqual([
      [1, undefined],
      [500, 49_500],
      [40_000, 3_960_000],
    ]);
  });

  test("what is left and what is kept are together the provider's figure, whatever the reserve", () => {
    const reserve = fc.oneof(
      fc.record({ kind: fc.constant('share' as const), hundredths: fc.nat({ max: 9_999 }) }),
      fc.record({
        kind: fc.constant('amounts' as const),
        amounts: fc.record({ requests: fc.integer({ min: 1 }), units: fc.integer({ min: 1 }) }),
      }),
    );
    const limit = fc.record({
      metric: fc.constantFrom<Limit['metric']>('requests', 'tokens', 'units'),
      amount: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      window: fc.constant(MINUTE),
    });
    fc.assert(
      fc.property(limit, reserve, (given, kept) => {
        const left = lessReserve(given, kept);
        expect(left.amount + (left.reserved ?? 0)).toBe(given.amount);
        expect(left.amount < 1).toBe(leavesNothing(given, kept));
        expect(kept.kind === 'share' && left.amount < 1).toBe(false);
      }),
    );
  });
});

describe('a reserve that cannot be', () => {
  test.each([
    [
      'all of a limit',
      'groq: { reserve: 30 }',
      'providers.groq.reserve: leaves nothing of 30 requests per 1m of groq/gpt-oss-20b and 2 more; keep less, or a share such as 20%',
    ],
    [
      "more than the provider's own limit",
      'openrouter: { reserve: { requests: 21 } }',
      'providers.openrouter.reserve: leaves nothing of 20 requests per 1m of all of openrouter; keep less, or a share such as 20%',
    ],
    [
      'more than a day has',
      'cloudflare: { reserve: { units: 10000 } }',
      'providers.cloudflare.reserve: leaves nothing of 10000 units per day of all of cloudflare; keep less, or a share such as 20%',
    ],
    [
      'what no limit counts',
      'openrouter: { reserve: { tokens: 5 } }',
      'providers.openrouter.reserve: keeps nothing back: no limit of `openrouter` counts tokens',
    ],
    [
      'half a call',
      'groq: { reserve: 0.5 }',
      'providers.groq.reserve: expected a share such as 20%, a whole number of requests, or amounts such as { requests: 5, tokens: 20000 }, got 0.5',
    ],
    [
      'a list',
      'groq: { reserve: [5] }',
      'providers.groq.reserve: expected a share such as 20%, a whole number of requests, or amounts such as { requests: 5, tokens: 20000 }, got a list',
    ],
    [
      'an unknown metric',
      'groq: { reserve: { request: 5 } }',
      'providers.groq.reserve.request: unknown key; did you mean `requests`?',
    ],
    [
      'a share in an amount',
      'groq: { reserve: { requests: 20% } }',
      'providers.groq.reserve.requests: expected a positive whole number, got "20%"',
    ],
  ])('%s', (_, entry, problem) => {
    expect(problemsOf(`providers:\n  ${entry}`)).toEqual([`nightshift.yaml:2: ${problem}`]);
  });
});
