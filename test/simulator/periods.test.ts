import { describe, expect, it } from 'vitest';
import type { PeriodWindow } from '../../src/simulator/windows/periods.ts';
import { periodAt, periodsFrom } from '../../src/simulator/windows/periods.ts';

const HOUR_MS = 3_600_000;
const pacificDay: PeriodWindow = { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' };
const pacificWeek: PeriodWindow = { kind: 'calendar', unit: 'week', timeZone: 'America/Los_Angeles' };
const utcMonth: PeriodWindow = { kind: 'calendar', unit: 'month', timeZone: 'UTC' };
const fromThe31st: PeriodWindow = {
  kind: 'fixed-month',
  anchorAtMs: Date.UTC(2026, 0, 31, 9),
  timeZone: 'UTC',
};
const tenSeconds: PeriodWindow = { kind: 'fixed', perMs: 10_000, anchorAtMs: 3 };

const lengthHours = (window: PeriodWindow, atMs: number) => {
  const { startMs, endMs } = periodAt(window, atMs);
  return (endMs - startMs) / HOUR_MS;
};

describe('a period', () => {
  it.each([pacificDay, pacificWeek, utcMonth, fromThe31st, tenSeconds])(
    'of %j holds its first instant and not its end',
    (window) => {
      const { startMs, endMs } = periodAt(window, Date.UTC(2026, 2, 14, 15, 9, 26));
      expect(periodAt(window, startMs)).toEqual({ startMs, endMs });
      expect(periodAt(window, endMs - 1)).toEqual({ startMs, endMs });
      expect(periodAt(window, endMs).startMs).toBe(endMs);
      expect(periodAt(window, startMs - 1).endMs).toBe(startMs);
    },
  );

  it('is 23 or 25 hours long when daylight saving begins or ends', () => {
    expect(lengthHours(pacificDay, Date.UTC(2026, 2, 8, 20))).toBe(23);
    expect(lengthHours(pacificDay, Date.UTC(2026, 10, 1, 20))).toBe(25);
    expect(lengthHours(pacificDay, Date.UTC(2026, 10, 20, 20))).toBe(24);
  });

  it('of a week begins on Monday at midnight of the zone, and is 167 or 169 hours long around daylight saving', () => {
    // Monday, 26 October: midnight is 07:00 UTC; a week later daylight saving is over and it is 08:00.
    const october = { startMs: Date.UTC(2026, 9, 26, 7), endMs: Date.UTC(2026, 10, 2, 8) };
    expect(periodAt(pacificWeek, Date.UTC(2026, 10, 1, 12))).toEqual(october);
    expect(lengthHours(pacificWeek, Date.UTC(2026, 10, 1, 12))).toBe(169);
    expect(lengthHours(pacificWeek, Date.UTC(2026, 2, 8, 12))).toBe(167);
    expect(lengthHours(pacificWeek, Date.UTC(2026, 10, 20, 12))).toBe(168);
  });

  it('of a month counted from a 31st ends on the last of February and on a 31st again after it', () => {
    const february = periodAt(fromThe31st, Date.UTC(2026, 1, 10));
    expect(february).toEqual({ startMs: Date.UTC(2026, 0, 31, 9), endMs: Date.UTC(2026, 1, 28, 9) });
    expect(periodAt(fromThe31st, february.endMs).endMs).toBe(Date.UTC(2026, 2, 31, 9));
    expect(periodAt(fromThe31st, Date.UTC(2025, 11, 31, 9)).startMs).toBe(Date.UTC(2025, 11, 31, 9));
  });

  it('is counted with the first and the last', () => {
    expect(periodsFrom(tenSeconds, 0, 3)).toBe(2);
    expect(periodsFrom(pacificDay, Date.UTC(2026, 9, 30, 20), Date.UTC(2026, 10, 3, 20))).toBe(5);
    expect(periodsFrom(pacificWeek, Date.UTC(2026, 9, 30), Date.UTC(2026, 10, 20))).toBe(4);
    expect(periodsFrom(utcMonth, Date.UTC(2026, 0, 31), Date.UTC(2027, 1, 1))).toBe(14);
  });
});
