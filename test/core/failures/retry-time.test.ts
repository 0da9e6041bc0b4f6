import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_WAIT_MS,
  nextUtcMidnight,
  parseDurationMs,
  parseHttpDate,
  parseRetryInstant,
  parseRfc3339,
} from '../../../src/core/failures/retry-time.ts';

const NOW_MS = Date.parse('2026-11-20T07:00:00Z');

describe('parseDurationMs', () => {
  it.each([
    ['2m59.56s', 179_560],
    ['9m38.016s', 578_016],
    ['23m58.56s', 1_438_560],
    ['7.66s', 7_660],
    ['17s', 17_000],
    ['120ms', 120],
    ['1h2m', 3_720_000],
    ['1d', 86_400_000],
    ['45.578569677s', 45_578.569677],
  ])('reads %s', (text, durationMs) => {
    expect(parseDurationMs(text)).toBeCloseTo(durationMs, 3);
  });

  it.each(['', 's', '5', '5x', '5 s', '-5s', '1m soon'])('takes %j for no duration', (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});

describe('parseRetryInstant', () => {
  it.each([
    ['30', NOW_MS + 30_000],
    ['33011.382867097855', NOW_MS + 33_011_383],
    [String(NOW_MS / 1_000 + 60), NOW_MS + 60_000],
    [String(NOW_MS + 60_000), NOW_MS + 60_000],
    ['1m30s', NOW_MS + 90_000],
    ['Fri, 20 Nov 2026 07:01:00 GMT', NOW_MS + 60_000],
    ['2026-11-20T08:01:00+01:00', NOW_MS + 60_000],
    ['Thu, 19 Nov 2026 07:01:00 GMT', NOW_MS],
    ['99999999', NOW_MS + MAX_WAIT_MS],
  ])('reads %s', (text, instantMs) => {
    expect(parseRetryInstant(text, NOW_MS)).toBe(instantMs);
  });

  it('is null or within a month of now, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.smhd:TZ-]*$/u)), (text) => {
        const instantMs = parseRetryInstant(text, NOW_MS);
        if (instantMs === null) return;
        expect(instantMs).toBeGreaterThanOrEqual(NOW_MS);
        expect(instantMs).toBeLessThanOrEqual(NOW_MS + MAX_WAIT_MS);
      }),
    );
  });
});

describe('dates by arithmetic', () => {
  it('agree with the platform for every instant', () => {
    const dates = fc.date({
      min: new Date('1970-01-01T00:00:00Z'),
      max: new Date('2399-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseRfc3339(date.toISOString())).toBe(date.getTime());
        expect(parseHttpDate(date.toUTCString())).toBe(Math.floor(date.getTime() / 1_000) * 1_000);
      }),
    );
  });

  it('take anything else for no date', () => {
    for (const text of ['', 'soon', '2026-11-20', 'Fri, 20 Foo 2026 07:00:00 GMT']) {
      expect(parseHttpDate(text)).toBeNull();
      expect(parseRfc3339(text)).toBeNull();
    }
  });

  it('find the next midnight UTC, strictly later', () => {
    expect(nextUtcMidnight(NOW_MS)).toBe(Date.parse('2026-11-21T00:00:00Z'));
    expect(nextUtcMidnight(Date.parse('2026-11-21T00:00:00Z'))).toBe(Date.parse('2026-11-22T00:00:00Z'));
  });
});
