import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskedDeadline, deadlineAtMs, readDeadline } from '../../src/core/deadline.ts';

const NOW_MS = Date.parse('2026-11-20T21:15:30.250Z');

const read = (text: string, timeZone = 'UTC'): AskedDeadline => {
  const reading = readDeadline(text, timeZone);
  if (reading.kind === 'refused') throw new Error(reading.message);
  return reading.deadline;
};

const instantOf = (text: string, timeZone = 'UTC', nowMs = NOW_MS): string => {
  const found = deadlineAtMs(read(text, timeZone), nowMs);
  return found.kind === 'at' ? new Date(found.atMs).toISOString() : found.message;
};

describe('a deadline', () => {
  it.each([
    ['07:00', 'UTC', '2026-11-21T07:00:00.000Z'],
    ['7:00', 'Europe/Berlin', '2026-11-21T06:00:00.000Z'],
    ['22:30', 'UTC', '2026-11-20T22:30:00.000Z'],
    ['22:00', 'Europe/Berlin', '2026-11-21T21:00:00.000Z'],
    ['8h', 'UTC', '2026-11-21T05:15:30.250Z'],
    ['1.5h', 'UTC', '2026-11-20T22:45:30.250Z'],
    ['90 s', 'UTC', '2026-11-20T21:17:00.250Z'],
    ['2d', 'UTC', '2026-11-22T21:15:30.250Z'],
    ['2026-11-21T07:00', 'America/New_York', '2026-11-21T12:00:00.000Z'],
    ['2026-11-21 07:00', 'Europe/Berlin', '2026-11-21T06:00:00.000Z'],
    ['2026-11-21T07:00:10Z', 'America/New_York', '2026-11-21T07:00:10.000Z'],
    ['2026-11-21T07:00+09:00', 'UTC', '2026-11-20T22:00:00.000Z'],
    ['2026-11-21T07:00-05', 'UTC', '2026-11-21T12:00:00.000Z'],
    ['2026-11-21T07:00:10+02', 'America/New_York', '2026-11-21T05:00:10.000Z'],
    ['2026-11-21T07:00[Asia/Tokyo]', 'UTC', '2026-11-20T22:00:00.000Z'],
  ])('%s in %s is %s', (text, timeZone, expected) => {
    expect(instantOf(text, timeZone)).toBe(expected);
  });

  it('at a time of day that the clocks skip comes with the time after them', () => {
    const night = Date.parse('2026-03-28T22:00Z');
    expect(instantOf('02:30', 'Europe/Berlin', night)).toBe('2026-03-29T01:30:00.000Z');
  });

  it.each([
    '',
    'soon',
    '24:00',
    '7',
    '8 weeks',
    '0h',
    '-1h',
    '2026-11-21',
    '2026-13-01T07:00',
    '2026-11-21T07:00[Mars/Base]',
  ])('%j is refused, with the forms there are', (text) => {
    expect(readDeadline(text, 'UTC')).toEqual({
      kind: 'refused',
      message: expect.stringMatching(/\(07:00\).*\(2026-11-21T07:00\).*\(8h\)/u),
    });
  });

  it('in the past is refused, and so is one that is a slip of years', () => {
    expect(instantOf('2026-11-20T21:15Z')).toMatch(/to lie ahead, got 2026-11-20T21:15:00Z/u);
    expect(instantOf('2028-11-20T21:15Z')).toMatch(/at most a year away/u);
    expect(instantOf('9999d')).toMatch(/at most a year away/u);
    expect(instantOf('100000000h')).toMatch(/at most a year away/u);
  });

  it('has one text for one wish, which holds the zone where that matters', () => {
    expect(read('7:00', 'Europe/Berlin').text).toBe(read(' 07:00 ', 'Europe/Berlin').text);
    expect(read('7:00', 'Europe/Berlin').text).not.toBe(read('7:00', 'UTC').text);
    expect(read('8 h', 'UTC').text).toBe(read('8h', 'Europe/Berlin').text);
    expect(read('2026-11-21T07:00', 'Europe/Berlin').text).toBe(read('2026-11-21T06:00Z').text);
  });

  it('at a time of day is the next one that the clocks of the zone show: within 25 hours, never now', () => {
    const minutes = fc.integer({ min: 0, max: 1_439 });
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu');
    const now = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2028-01-01') });
    fc.assert(
      fc.property(minutes, zone, now, (minute, timeZone, nowMs) => {
        const text = `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`;
        const atMs = Date.parse(instantOf(text, timeZone, nowMs));
        expect(atMs).toBeGreaterThan(nowMs);
        expect(atMs - nowMs).toBeLessThanOrEqual(25 * 3_600_000);
        const shown = new Intl.DateTimeFormat('en-GB', {
          timeZone,
          hourCycle: 'h23',
          hour: 'numeric',
          minute: '2-digit',
        }).format(atMs);
        const [hour, minuteShown] = shown.split(':').map(Number);
        // Within the hour that the clocks skip there is no such time: then it is that much later.
        const late = ((hour ?? 0) * 60 + (minuteShown ?? 0) - minute + 1_440) % 1_440;
        expect([0, 30, 60]).toContain(late);
      }),
    );
  });
});
