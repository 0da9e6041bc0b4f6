import { describe, expect, it } from 'vitest';
import { type AskedTerms, readTerms } from '../../src/core/batch-terms.ts';

const NOTHING: AskedTerms = { between: null, priority: null, deadline: null, timeZone: 'Europe/Berlin' };

const wanted = (asked: Partial<AskedTerms>) => readTerms({ ...NOTHING, ...asked });

describe('readTerms', () => {
  it('leaves out what was not said', () => {
    expect(wanted({})).toEqual({ kind: 'read', wanted: {} });
  });

  it('reads every term, times of day in their zone', () => {
    expect(wanted({ between: '22:00-07:00', priority: -3, deadline: '06:30' })).toEqual({
      kind: 'read',
      wanted: {
        nightWindow: { fromMinute: 1_320, untilMinute: 420, timeZone: 'Europe/Berlin' },
        priority: -3,
        deadline: {
          text: '06:30 Europe/Berlin',
          when: { kind: 'time-of-day', minute: 390, timeZone: 'Europe/Berlin' },
        },
      },
    });
  });

  it('lifts a window and a deadline by the words for it', () => {
    expect(wanted({ between: 'always', deadline: 'none' })).toEqual({
      kind: 'read',
      wanted: { nightWindow: null, deadline: null },
    });
  });

  it.each<[string, Partial<AskedTerms>, RegExp]>([
    ['a window that is none', { between: '22-7' }, /`between`/u],
    ['a deadline that is none', { deadline: 'soon' }, /`deadline`/u],
    ['a priority out of bounds', { priority: 101 }, /from -100 to 100, got 101/u],
    ['a priority with decimals', { priority: 0.5 }, /whole number/u],
    ['a zone that nobody knows', { timeZone: 'Mars/Base' }, /"Mars\/Base"/u],
    ['an offset for a zone', { timeZone: '+02:00' }, /IANA name such as Europe\/Berlin/u],
  ])('refuses %s', (_, asked, message) => {
    expect(wanted(asked)).toEqual({ kind: 'refused', message: expect.stringMatching(message) });
  });
});
