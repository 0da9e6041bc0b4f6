import { describe, expect, it } from 'vitest';
import type { Submitted } from '../../src/app/batches.ts';
import { ingestedLines } from '../../src/cli/display/reading-text.ts';
import { changedTermsLines } from '../../src/cli/display/terms-text.ts';
import { readTermsFlags } from '../../src/cli/terms-option.ts';
import { ANY_TERMS, type BatchTerms } from '../../src/core/batch-terms.ts';
import { aBatch, NOW_MS } from '../app/fakes.ts';

const TERMS: BatchTerms = {
  nightWindow: { fromMinute: 1_320, untilMinute: 420, timeZone: 'Europe/Berlin' },
  priority: 5,
  deadlineAtMs: NOW_MS + 9 * 3_600_000,
};

const submitted = (changes: Partial<Submitted>): Submitted => ({
  batch: aBatch({ terms: TERMS }),
  reasons: { first: [], count: 0 },
  isKnown: false,
  formerTerms: null,
  notices: [],
  ...changes,
});

describe('the options on terms', () => {
  it('are handed on as they were typed, with the zone of this machine unless one was', () => {
    expect(readTermsFlags({ between: '22:00-07:00', priority: 3, timeZone: 'Asia/Tokyo' })).toEqual({
      between: '22:00-07:00',
      priority: 3,
      deadline: null,
      timeZone: 'Asia/Tokyo',
    });
    expect(readTermsFlags({}).timeZone).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  });

  it('are refused before anything is read', () => {
    expect(() => readTermsFlags({ between: '00:00-24:00' })).toThrow(/Leave it out for the whole day/u);
    expect(() => readTermsFlags({ deadline: 'soon' })).toThrow(/`deadline` to be a time of day/u);
  });
});

describe('what is said of terms', () => {
  it('is all of them for a new batch, and for one that goes on as before', () => {
    for (const isKnown of [false, true]) {
      const text = ingestedLines(submitted({ isKnown }), NOW_MS).join('\n');
      expect(text).toContain('only between 22:00 and 07:00 (Europe/Berlin): ');
      expect(text).toContain('priority 5');
      expect(text).toMatch(/deadline .* \(in 9 h 00 min\)/u);
    }
    expect(ingestedLines(submitted({ batch: aBatch() }), NOW_MS)).toHaveLength(1);
  });

  it('is what a known batch goes by from now on, where that was changed', () => {
    const lines = ingestedLines(submitted({ isKnown: true, formerTerms: { ...TERMS, priority: 0 } }), NOW_MS);
    expect(lines).toEqual([
      'batch "docs": resuming with 4 of 4 lines to do',
      '  from now on its priority is 5 (before: 0)',
    ]);
  });

  it('names what was before, and what was lifted', () => {
    expect(changedTermsLines(TERMS, ANY_TERMS, NOW_MS)).toEqual([
      'from now on it runs at any time (before: between 22:00 and 07:00 (Europe/Berlin))',
      'from now on its priority is 0 (before: 5)',
      expect.stringMatching(/^from now on it has no deadline \(before: .*\d\d:\d\d\)$/u),
    ]);
    expect(changedTermsLines(ANY_TERMS, TERMS, NOW_MS)).toEqual([
      'from now on it runs only between 22:00 and 07:00 (Europe/Berlin) (before: at any time)',
      'from now on its priority is 5 (before: 0)',
      expect.stringMatching(/^from now on its deadline is .* \(in 9 h 00 min\) \(before: none\)$/u),
    ]);
    expect(changedTermsLines(TERMS, TERMS, NOW_MS)).toEqual([]);
  });

  it('is nothing for a batch that is over, except that it expired', () => {
    const batch = aBatch({ state: 'expired', succeeded: 1, expired: 3, terms: TERMS });
    expect(ingestedLines(submitted({ batch, isKnown: true }), NOW_MS)).toEqual([
      'batch "docs": 3 of 4 lines expired at its deadline; writing the output again',
    ]);
  });
});
