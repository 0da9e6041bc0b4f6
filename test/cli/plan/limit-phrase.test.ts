import { expect, it } from 'vitest';
import { limitPhrase } from '../../../src/cli/plan/limit-phrase.ts';
import type { Metric, Window } from '../../../src/core/model.ts';

const phrase = (metric: Metric, amount: number, window: Window): string =>
  limitPhrase({ scope: 'x', metric, amount, window, used: 0, freeings: [], marginMs: 0 });

it('a limit is told as its provider would tell it', () => {
  expect(phrase('requests', 1_000, { kind: 'refill', perMs: 86_400_000 })).toBe('1,000 requests a day');
  expect(phrase('requests', 1, { kind: 'rolling', perMs: 1_000 })).toBe('1 request a second');
  expect(phrase('inputTokens', 250_000, { kind: 'rolling', perMs: 60_000 })).toBe(
    '250,000 input tokens a minute',
  );
  expect(phrase('tokens', 100, { kind: 'fixed', perMs: 3_600_000, anchorAtMs: 0 })).toBe(
    '100 tokens an hour',
  );
  expect(phrase('tokens', 100, { kind: 'rolling', perMs: 900_000 })).toBe('100 tokens per 15 min');
  expect(phrase('requests', 50, { kind: 'session', perMs: 18_000_000 })).toBe(
    '50 requests per session of 5 h',
  );
  expect(phrase('units', 10_000_000, { kind: 'calendar', unit: 'day', timeZone: 'UTC' })).toBe(
    '10,000 units a day',
  );
  expect(phrase('tokens', 5, { kind: 'fixed-month', anchorAtMs: 0, timeZone: 'UTC' })).toBe(
    '5 tokens a month',
  );
});
