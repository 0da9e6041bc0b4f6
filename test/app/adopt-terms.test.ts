import { describe, expect, it } from 'vitest';
import { newTerms, requireTerms, termsAfter, wantedTerms } from '../../src/app/adopt-terms.ts';
import { ANY_TERMS, type AskedTerms, type WantedTerms } from '../../src/core/batch-terms.ts';

const EVENING_MS = Date.parse('2026-11-20T21:00Z');
const NEXT_MORNING_MS = Date.parse('2026-11-21T08:00Z');

const wanted = (asked: Partial<AskedTerms>): WantedTerms =>
  requireTerms({ between: null, priority: null, deadline: null, timeZone: 'UTC', ...asked });

describe('terms in force', () => {
  it('of a new batch are those that were asked for, and the usual ones else', () => {
    expect(newTerms(wanted({}), EVENING_MS)).toEqual({ terms: ANY_TERMS, deadlineText: null });
    expect(newTerms(wanted({ between: '22:00-07:00', priority: 2, deadline: '07:00' }), EVENING_MS)).toEqual({
      terms: {
        nightWindow: { fromMinute: 1_320, untilMinute: 420, timeZone: 'UTC' },
        priority: 2,
        deadlineAtMs: Date.parse('2026-11-21T07:00Z'),
      },
      deadlineText: '07:00 UTC',
    });
  });

  const before = newTerms(wanted({ between: '22:00-07:00', priority: 2, deadline: '07:00' }), EVENING_MS);

  it('stay as they are where nothing is said', () => {
    expect(termsAfter(before, wanted({}), NEXT_MORNING_MS)).toEqual(before);
  });

  it('change one by one', () => {
    expect(termsAfter(before, wanted({ priority: 0 }), EVENING_MS)).toEqual({
      ...before,
      terms: { ...before.terms, priority: 0 },
    });
    expect(termsAfter(before, wanted({ between: 'always' }), EVENING_MS).terms.nightWindow).toBeNull();
  });

  it('keep a deadline that is asked for again in the same words, though it has passed', () => {
    expect(termsAfter(before, wanted({ deadline: '7:00' }), NEXT_MORNING_MS)).toEqual(before);
    const span = newTerms(wanted({ deadline: '8h' }), EVENING_MS);
    expect(termsAfter(span, wanted({ deadline: '8h' }), NEXT_MORNING_MS)).toEqual(span);
  });

  it('take another deadline, or none', () => {
    expect(termsAfter(before, wanted({ deadline: '09:00' }), NEXT_MORNING_MS)).toMatchObject({
      terms: { deadlineAtMs: Date.parse('2026-11-21T09:00Z') },
      deadlineText: '09:00 UTC',
    });
    expect(termsAfter(before, wanted({ deadline: 'none' }), NEXT_MORNING_MS)).toMatchObject({
      terms: { deadlineAtMs: null },
      deadlineText: null,
    });
  });

  it('refuse a new deadline in the past', () => {
    const past = wanted({ deadline: '2026-11-20T20:00' });
    expect(() => newTerms(past, EVENING_MS)).toThrow(/to lie ahead, got 2026-11-20T20:00:00Z/u);
    expect(() => termsAfter(before, past, EVENING_MS)).toThrow(/to lie ahead/u);
  });

  it('refuse a zone that the record does not know, for a window', async () => {
    const asked = { between: '22:00-07:00', priority: null, deadline: null, timeZone: 'Europe/Berlin' };
    const store = { knowsTimeZone: async () => false };
    await expect(wantedTerms(store, asked)).rejects.toThrow(/the record knows, too, got "Europe\/Berlin"/u);
    await expect(wantedTerms(store, { ...asked, between: 'always' })).resolves.toEqual({ nightWindow: null });
  });
});
