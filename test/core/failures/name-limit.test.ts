import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameLimit } from '../../../src/core/failures/name-limit.ts';
import { DIALECTS, type Metric } from '../../../src/core/model.ts';
import type { Standing } from '../../../src/core/quota/standing.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function standing(
  metric: Metric,
  periodMs: number | null,
  amount: number | null,
  remaining: number,
): Standing {
  return { scope: 'lane', metric, periodMs, amount, remaining };
}

function nameIn(words: string, standings: readonly Standing[] = []) {
  return nameLimit({ dialect: 'openai', words, standings });
}

describe('nameLimit', () => {
  it('names nothing where neither words nor headers do', () => {
    expect(nameIn('Too many requests', [standing('requests', DAY_MS, 1_000, 3)])).toBeNull();
  });

  it('names nothing where the words give several limits, whatever the headers show', () => {
    const words = 'Free accounts have 20 requests per minute and 250 requests per hour.';
    expect(nameIn(words, [standing('tokens', MINUTE_MS, 8_000, 0)])).toBeNull();
  });

  it('names a limit once that is worded twice', () => {
    const expected = { metric: 'requests', periodMs: MINUTE_MS, amount: null, used: null };
    expect(nameIn('Requests per minute exceeded. See requests per minute.')).toEqual(expected);
  });

  it('goes by the one header that shows a limit as spent, and by none where two do', () => {
    const day = standing('requests', DAY_MS, 1_000, 0);
    const minute = standing('tokens', MINUTE_MS, 8_000, 0);
    expect(nameIn('', [day])).toEqual({ metric: 'requests', periodMs: DAY_MS, amount: 1_000, used: 1_000 });
    expect(nameIn('', [day, minute])).toBeNull();
  });

  it('believes words before headers', () => {
    const named = nameIn('Tokens per minute limit exceeded', [standing('requests', DAY_MS, 1_000, 0)]);
    expect(named).toMatchObject({ metric: 'tokens', periodMs: MINUTE_MS });
  });

  it('completes words by headers about the same window', () => {
    const told = [standing('tokens', DAY_MS, 500_000, 9), standing('tokens', MINUTE_MS, 8_000, 500)];
    const expected = { metric: 'tokens', periodMs: MINUTE_MS, amount: 8_000, used: 7_500 };
    expect(nameIn('TPM limit reached', told)).toEqual(expected);
  });

  it('completes words by headers of no known window only where they show it as spent', () => {
    const open = nameIn('RPD limit reached', [standing('requests', null, 500, 499)]);
    const spent = nameIn('RPD limit reached', [standing('requests', null, 500, 0)]);
    expect(open).toMatchObject({ amount: null, used: null });
    expect(spent).toMatchObject({ amount: 500, used: 500 });
  });

  it('never takes a 0 or a figure beyond counting for an amount', () => {
    for (const amount of ['0', '9'.repeat(16), '9'.repeat(400)]) {
      const named = nameIn(`Limited to ${amount} requests per day`);
      expect(named === null || named.amount === null).toBe(true);
    }
  });

  it('names whole numbers only, whatever is said', () => {
    const word = fc.constantFrom(
      'limit',
      'of',
      'tokens',
      'requests',
      'per',
      'day',
      '/',
      'minute',
      'TPM',
      'RPD',
      ':',
    );
    const figure = fc.bigInt().map(String);
    const words = fc.array(fc.oneof(word, figure), { maxLength: 12 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.constantFrom(...DIALECTS), words, (dialect, said) => {
        const named = nameLimit({ dialect, words: said, standings: [] });
        for (const figureOf of [named?.amount, named?.used]) {
          expect(figureOf === undefined || figureOf === null || Number.isSafeInteger(figureOf)).toBe(true);
        }
        expect(named?.amount).not.toBe(0);
      }),
    );
  });
});
