import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { windowEndMs } from '../../../src/core/quota/window.ts';
import { windowQuestionArbitrary } from '../../contracts/quota-windows.ts';

const DAY_MS = 86_400_000;

describe('the end of a window', () => {
  test('is the first boundary after the instant: every instant up to it has the same, and it has another', () => {
    fc.assert(
      fc.property(windowQuestionArbitrary, ({ window, atMs }) => {
        const endMs = windowEndMs(window, atMs);
        expect(endMs).toBeGreaterThan(atMs);
        expect(windowEndMs(window, endMs - 1)).toBe(endMs);
        expect(windowEndMs(window, Math.floor((atMs + endMs) / 2))).toBe(endMs);
        expect(windowEndMs(window, endMs)).toBeGreaterThan(endMs);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is midnight there, on days of 23, 24 and 25 hours', () => {
    const window = { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' } as const;
    const hoursFrom = (text: string): number =>
      (windowEndMs(window, Date.parse(text)) - Date.parse(text)) / 3_600_000;
    expect(hoursFrom('2026-03-07T00:00-08:00')).toBe(24);
    expect(hoursFrom('2026-03-08T00:00-08:00')).toBe(23);
    expect(hoursFrom('2026-11-01T00:00-07:00')).toBe(25);
  });

  test('is counted from the anchor, so that February does not shift the months after it', () => {
    const anchorAtMs = Date.parse('2026-01-31T15:00Z');
    const window = { kind: 'fixed-month', anchorAtMs, timeZone: 'UTC' } as const;
    const ends = [anchorAtMs];
    for (let month = 0; month < 4; month += 1) ends.push(windowEndMs(window, ends.at(-1) ?? 0));
    expect(ends.map((endMs) => new Date(endMs).toISOString().slice(0, 10))).toEqual([
      '2026-01-31',
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
      '2026-05-31',
    ]);
  });

  test('reaches back before the anchor', () => {
    const anchorAtMs = Date.parse('2026-06-15T09:00Z');
    expect(windowEndMs({ kind: 'fixed', perMs: DAY_MS, anchorAtMs }, anchorAtMs - 3 * DAY_MS - 1)).toBe(
      anchorAtMs - 3 * DAY_MS,
    );
    expect(
      windowEndMs(
        { kind: 'fixed-month', anchorAtMs, timeZone: 'Europe/Berlin' },
        Date.parse('2026-02-01T00:00Z'),
      ),
    ).toBe(Date.parse('2026-02-15T10:00Z'));
  });
});
