import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantArbitrary, nightWindowArbitrary } from '../contracts/night-windows.ts';
import {
  closesAtMs,
  isOpenAt,
  lastOpenMs,
  type NightWindow,
  nightWindowText,
  openTimeEnd,
  openTimeMs,
  opensAtMs,
  readNightWindow,
} from '../../src/core/night-window.ts';

const MINUTE_MS = 60_000;

const at = (text: string): number => Date.parse(text);

/** The full minutes after one instant and before another. */
const minutesBetween = (fromMs: number, untilMs: number): readonly number[] => {
  const first = Math.floor(fromMs / MINUTE_MS) + 1;
  return Array.from(
    { length: Math.max(0, Math.ceil(untilMs / MINUTE_MS) - first) },
    (_, index) => (first + index) * MINUTE_MS,
  );
};

const windowOf = (text: string, timeZone = 'UTC'): NightWindow => {
  const reading = readNightWindow(text, timeZone);
  if (reading.kind === 'refused') throw new Error(reading.message);
  return reading.nightWindow;
};

/** What the clocks on the walls of a zone show, read another way than the code does: minutes from midnight. */
const clockOnTheWall = (timeZone: string) => {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (atMs: number): number => {
    const [hour = '', minute = ''] = format.format(atMs).split(':');
    return Number(hour) * 60 + Number(minute);
  };
};

describe('readNightWindow', () => {
  it.each([
    ['22:00-07:00', { fromMinute: 22 * 60, untilMinute: 7 * 60 }],
    [' 9:30 – 17:05 ', { fromMinute: 9 * 60 + 30, untilMinute: 17 * 60 + 5 }],
    ['18:00-24:00', { fromMinute: 18 * 60, untilMinute: 0 }],
    ['00:00-06:00', { fromMinute: 0, untilMinute: 6 * 60 }],
  ])('understands %s', (text, minutes) => {
    expect(windowOf(text, 'Europe/Berlin')).toEqual({ ...minutes, timeZone: 'Europe/Berlin' });
  });

  it.each(['', '22:00', '22-07', '25:00-07:00', '22:60-07:00', '24:00-07:00', '22:00-07:00-09:00', 'night'])(
    'refuses %j and shows how it is written',
    (text) => {
      expect(readNightWindow(text, 'UTC')).toEqual({
        kind: 'refused',
        message: expect.stringMatching(/22:00-07:00, got "/u),
      });
    },
  );

  it.each(['00:00-24:00', '07:00-07:00', '00:00-00:00'])('refuses %s and names the way out', (text) => {
    expect(readNightWindow(text, 'UTC')).toEqual({
      kind: 'refused',
      message: expect.stringContaining('Leave it out for the whole day'),
    });
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(nightWindowArbitrary, (window) => {
        expect(windowOf(nightWindowText(window), window.timeZone)).toEqual(window);
      }),
    );
  });
});

describe('a night window', () => {
  it('is open from its first minute to before its last, over midnight', () => {
    const window = windowOf('22:00-07:00');
    expect(
      ['21:59:59.999', '22:00', '23:59', '00:00', '06:59:59.999', '07:00', '12:00'].map((time) =>
        isOpenAt(window, at(`2026-11-20T${time}Z`)),
      ),
    ).toEqual([false, true, true, true, true, false, false]);
  });

  it('goes by the clocks of its zone', () => {
    const window = windowOf('22:00-07:00', 'America/New_York');
    expect(opensAtMs(window, at('2026-11-20T12:00Z'))).toBe(at('2026-11-21T03:00Z'));
    expect(closesAtMs(window, at('2026-11-21T03:00Z'))).toBe(at('2026-11-21T12:00Z'));
  });

  it('opens as the clocks are put forward, where they skip its beginning', () => {
    const window = windowOf('02:30-05:00', 'Europe/Berlin');
    expect(opensAtMs(window, at('2026-03-28T23:00Z'))).toBe(at('2026-03-29T01:00Z'));
    expect(closesAtMs(window, at('2026-03-29T01:00Z'))).toBe(at('2026-03-29T03:00Z'));
  });

  it('does not close where the clocks skip all hours outside it, nor open where they skip all of it', () => {
    const inside = windowOf('02:00-03:00', 'Europe/Berlin');
    expect(opensAtMs(inside, at('2026-03-29T00:30Z'))).toBe(at('2026-03-30T00:00Z'));
    const outside = windowOf('03:00-02:00', 'Europe/Berlin');
    expect(closesAtMs(outside, at('2026-03-29T00:30Z'))).toBe(at('2026-03-30T00:00Z'));
  });

  it('is open twice where the clocks show its hour twice', () => {
    const window = windowOf('02:15-02:45', 'Europe/Berlin');
    const opened = opensAtMs(window, at('2026-10-25T00:00Z'));
    expect(opened).toBe(at('2026-10-25T00:15Z'));
    expect(closesAtMs(window, opened)).toBe(at('2026-10-25T00:45Z'));
    expect(opensAtMs(window, at('2026-10-25T00:45Z'))).toBe(at('2026-10-25T01:15Z'));
  });

  it('closes for a while where the clocks go back to before its beginning', () => {
    const window = windowOf('02:30-04:00', 'Europe/Berlin');
    expect(closesAtMs(window, at('2026-10-25T00:30Z'))).toBe(at('2026-10-25T01:00Z'));
    expect(opensAtMs(window, at('2026-10-25T01:00Z'))).toBe(at('2026-10-25T01:30Z'));
  });

  it.each([
    ['before it closes', '2026-11-21T06:00Z', '2026-11-21T06:00Z'],
    ['as it closes', '2026-11-21T07:00Z', '2026-11-21T07:00Z'],
    ['after it has closed', '2026-11-21T12:00Z', '2026-11-21T07:00Z'],
    ['as it opens', '2026-11-21T22:00Z', '2026-11-21T07:00Z'],
    ['some nights later', '2026-11-29T08:30Z', '2026-11-29T07:00Z'],
  ])(
    'takes what comes before an instant %s until then, or until it closes last',
    (_when, until, expected) => {
      expect(lastOpenMs(windowOf('22:00-07:00', 'UTC'), at(until))).toBe(at(expected));
      expect(lastOpenMs(null, at(until))).toBe(at(until));
    },
  );

  it('is always open where there is none', () => {
    expect([isOpenAt(null, 7), opensAtMs(null, 7), closesAtMs(null, 7)]).toEqual([true, 7, null]);
  });

  it('is open at exactly the instants at which the clocks of its zone show a time in it', () => {
    fc.assert(
      fc.property(nightWindowArbitrary, instantArbitrary, (window, atMs) => {
        const { fromMinute: from, untilMinute: until } = window;
        const shown = clockOnTheWall(window.timeZone)(atMs);
        const isIn = from < until ? shown >= from && shown < until : shown >= from || shown < until;
        expect(isOpenAt(window, atMs)).toBe(isIn);
      }),
      { numRuns: 500 },
    );
  });

  it('opens and closes at the first minute that differs, whatever happens to the clocks', () => {
    fc.assert(
      fc.property(nightWindowArbitrary, instantArbitrary, (window, atMs) => {
        const isOpen = isOpenAt(window, atMs);
        const changesMs = (isOpen ? closesAtMs(window, atMs) : opensAtMs(window, atMs)) ?? Number.NaN;
        expect(isOpen ? opensAtMs(window, atMs) : closesAtMs(window, atMs)).toBe(atMs);
        expect(changesMs).toBeGreaterThan(atMs);
        expect(changesMs % MINUTE_MS).toBe(0);
        expect(isOpenAt(window, changesMs)).toBe(!isOpen);
        const before = minutesBetween(atMs, changesMs);
        expect(before.filter((minuteMs) => isOpenAt(window, minuteMs) !== isOpen)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('openTimeEnd and openTimeMs', () => {
  const night = windowOf('22:00-07:00');
  const [evening, noon] = [at('2026-11-20T23:00:00Z'), at('2026-11-20T12:00:00Z')];
  const HOUR_MS = 60 * MINUTE_MS;

  it('count nothing where there is no window', () => {
    expect(openTimeEnd(null, noon, HOUR_MS)).toEqual({ atMs: noon + HOUR_MS, openedAtMs: noon });
    expect(openTimeMs(null, noon, evening)).toBe(evening - noon);
  });

  it('end within the hours, or in the next ones that come', () => {
    expect(openTimeEnd(night, evening, 8 * HOUR_MS)).toEqual({
      atMs: at('2026-11-21T07:00:00Z'),
      openedAtMs: evening,
    });
    expect(openTimeEnd(night, evening, 9 * HOUR_MS)).toEqual({
      atMs: at('2026-11-21T23:00:00Z'),
      openedAtMs: at('2026-11-21T22:00:00Z'),
    });
    expect(openTimeEnd(night, noon, HOUR_MS).atMs).toBe(evening);
    expect(openTimeMs(night, noon, at('2026-11-21T12:00:00Z'))).toBe(9 * HOUR_MS);
    expect(openTimeMs(night, noon, noon + HOUR_MS)).toBe(0);
  });

  it('are longer or shorter where the clocks are set within the hours', () => {
    const berlin = windowOf('22:00-07:00', 'Europe/Berlin');
    const [before, after] = [at('2027-03-27T12:00:00Z'), at('2027-03-28T12:00:00Z')];
    expect(openTimeMs(berlin, before, after)).toBe(8 * HOUR_MS);
    expect(openTimeEnd(berlin, before, 8 * HOUR_MS).atMs).toBe(at('2027-03-28T05:00:00Z'));
  });

  it('agree with each other for weeks', () => {
    fc.assert(
      fc.property(
        nightWindowArbitrary,
        instantArbitrary,
        fc.integer({ min: 1, max: 20 * 24 * 60 }),
        (window, fromMs, minutes) => {
          const { fromMinute, untilMinute } = window;
          fc.pre(minutes < 50 * ((untilMinute - fromMinute + 1_440) % 1_440));
          const { atMs, openedAtMs } = openTimeEnd(window, fromMs, minutes * MINUTE_MS);
          expect(openTimeMs(window, fromMs, atMs)).toBe(minutes * MINUTE_MS);
          expect(openTimeMs(window, openedAtMs, atMs)).toBe(atMs - openedAtMs);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are found for a year of work in a minute a day', () => {
    const { atMs } = openTimeEnd(windowOf('03:00-03:01'), noon, 365 * MINUTE_MS);
    expect(atMs).toBe(at('2027-11-20T03:01:00Z'));
  });
});
