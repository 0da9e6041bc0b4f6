/** Night windows, and the instants at which they may be hard to tell open from closed. */
import fc from 'fast-check';
import type { NightWindow } from '../../src/core/night-window.ts';

const DAY_MS = 86_400_000;

/**
 * Zones with clocks that are set by an hour, by half an hour, at midnight, by a quarter's offset, and never. Only such as have kept
 * their rules for long: the server's list of them may be older or newer than that of Node.
 */
const zone = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Havana',
  'Pacific/Apia',
);
const minute = fc.integer({ min: 0, max: 1_439 });
/** Any window of these zones. */
export const nightWindowArbitrary: fc.Arbitrary<NightWindow> = fc
  .record({ fromMinute: minute, untilMinute: minute, timeZone: zone })
  .filter(({ fromMinute, untilMinute }) => fromMinute !== untilMinute);
/** Two years of instants, and more of them in the hours around the days on which clocks are set. */
export const instantArbitrary: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: Date.parse('2026-01-01T00:00Z'), max: Date.parse('2028-01-01T00:00Z') }),
  fc
    .tuple(
      fc.constantFrom(
        '2026-03-29T01:00Z',
        '2026-10-25T01:00Z',
        '2026-11-01T06:00Z',
        '2026-03-08T07:00Z',
        '2026-09-06T04:00Z',
        '2026-04-04T15:00Z',
      ),
      fc.integer({ min: -DAY_MS, max: DAY_MS }),
    )
    .map(([changeAt, offsetMs]) => Date.parse(changeAt) + offsetMs),
);

/** Hours in UTC that begin and end so many hours after the full hour of that instant. */
export const hoursAfter = (atMs: number, fromHours: number, untilHours: number): NightWindow => {
  const minuteIn = (hours: number): number => ((Math.floor(atMs / 3_600_000) + hours) % 24) * 60;
  return { fromMinute: minuteIn(fromHours), untilMinute: minuteIn(untilHours), timeZone: 'UTC' };
};
