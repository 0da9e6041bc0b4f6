import { describe, expect, it } from 'vitest';
import { nextReset, resetText, shortResetText } from '../../src/cli/display/next-reset.ts';
import { clockTime } from '../../src/cli/text/quantity.ts';
import { aLimit, NOW_MS } from './a-progress-view.ts';

const HOUR_MS = 3_600_000;
/** NOW_MS is 08:00 UTC, which is midnight in Los Angeles. */
const at = (iso: string): number => Date.parse(iso);

describe('the next reset of a limit', () => {
  it.for([
    ['rolling, unused', {}, 'rolling', null],
    ['rolling', { used: 3, freesAtMs: NOW_MS + 9 }, 'frees', NOW_MS + 9],
    ['rolling, all under way', { used: 3 }, 'frees after the call', null],
    ['a full bucket', { windowKind: 'refill' }, 'refills continuously', null],
    [
      'half a bucket',
      { windowKind: 'refill', perMs: HOUR_MS, amount: 30, used: 15 },
      'full',
      NOW_MS + HOUR_MS / 2,
    ],
    ['a session to come', { windowKind: 'session', perMs: HOUR_MS }, 'opens with a call', null],
    [
      'a session',
      { windowKind: 'session', perMs: HOUR_MS, used: 1, freesAtMs: NOW_MS + 5 },
      'ends',
      NOW_MS + 5,
    ],
    [
      'hours from an anchor',
      { windowKind: 'fixed', perMs: HOUR_MS, anchorAtMs: 60_000 },
      'resets',
      NOW_MS + 60_000,
    ],
    [
      'a UTC day',
      { windowKind: 'calendar', perMs: null, unit: 'day', timeZone: 'UTC' },
      'resets',
      at('2026-11-21T00:00:00Z'),
    ],
    [
      'a day that began this instant',
      { windowKind: 'calendar', perMs: null, unit: 'day', timeZone: 'America/Los_Angeles' },
      'resets',
      at('2026-11-21T08:00:00Z'),
    ],
    [
      'a month from the 5th',
      { windowKind: 'fixed-month', perMs: null, anchorAtMs: at('2026-01-05T10:00:00Z'), timeZone: 'UTC' },
      'resets',
      at('2026-12-05T10:00:00Z'),
    ],
    [
      'a day whose calls the record holds a little longer',
      {
        windowKind: 'calendar',
        perMs: null,
        unit: 'day',
        timeZone: 'UTC',
        used: 2,
        freesAtMs: at('2026-11-21T00:00:02Z'),
      },
      'resets',
      at('2026-11-21T00:00:02Z'),
    ],
  ] as const)('of %s is known', ([, changes, word, atMs]) => {
    expect(nextReset(aLimit(changes), NOW_MS)).toEqual({ word, atMs });
  });

  it('is told in local time, and in how long where there is room', () => {
    const reset = { word: 'resets', atMs: NOW_MS + 2 * HOUR_MS };
    const time = clockTime(reset.atMs, NOW_MS);
    expect(resetText(reset, NOW_MS)).toBe(`resets ${time} (in 2 h 00 min)`);
    expect(shortResetText(reset, NOW_MS)).toBe(`resets ${time}`);
    expect(shortResetText({ word: 'frees', atMs: NOW_MS }, NOW_MS)).toBe('frees now');
  });
});
