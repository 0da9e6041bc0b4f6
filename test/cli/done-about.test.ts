import { describe, expect, it } from 'vitest';
import { aboutMs, doneAboutText } from '../../src/cli/text/done-about.ts';

/** Noon of a Friday on this machine's clock. */
const NOON_MS = new Date(2026, 10, 20, 12, 0, 0).getTime();
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

describe('when something will be done', () => {
  it('is said to the minute within hours, with how far it may be off', () => {
    expect(doneAboutText(NOON_MS + 82 * MINUTE_MS + 11_000, 14.8 * MINUTE_MS, NOON_MS)).toBe(
      'done about 13:22 ±15 min',
    );
  });

  it('is said to five minutes later in the night', () => {
    expect(doneAboutText(NOON_MS + 8 * HOUR_MS + 62_000, HOUR_MS, NOON_MS)).toBe('done about 20:00 ±1 h');
  });

  it('has the day where it is another one', () => {
    expect(doneAboutText(NOON_MS + 22 * HOUR_MS, 30 * MINUTE_MS, NOON_MS)).toBe(
      'done about tomorrow 10:00 ±30 min',
    );
    expect(doneAboutText(NOON_MS + 70 * HOUR_MS + 4 * MINUTE_MS, 5 * HOUR_MS, NOON_MS)).toBe(
      'done about Monday 10:00 ±5 h',
    );
  });

  it('has seconds where it is near', () => {
    expect(doneAboutText(NOON_MS + 42_400, 8_200, NOON_MS)).toBe('done about 12:00:42 ±8 s');
  });

  it('is never before now, whatever it is rounded to', () => {
    expect(aboutMs(NOON_MS - 5_000, NOON_MS)).toBe(NOON_MS);
    expect(aboutMs(NOON_MS + 400, NOON_MS)).toBeGreaterThanOrEqual(NOON_MS);
  });
});
