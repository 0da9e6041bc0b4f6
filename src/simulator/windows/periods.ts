/**
 * Where fixed and calendar windows begin and end. Every boundary is computed from the anchor or from the zone's
 * own calendar, never by adding a nominal length to the last one, so February and daylight saving shift nothing.
 */
import { Temporal } from 'temporal-polyfill';
import type { CalendarUnit, SimulatedWindow } from '../tier.ts';

/** The windows that have boundaries. */
export type PeriodWindow = Extract<SimulatedWindow, { kind: 'fixed' | 'fixed-month' | 'calendar' }>;

/** From `startMs` (inclusive) to `endMs` (exclusive). */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

const DAY_MS = 86_400_000;
/** On average over years, which is enough to count periods by. */
const UNIT_MS: Readonly<Record<CalendarUnit, number>> = {
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30.436875 * DAY_MS,
};

/** The one period of `window` that contains the instant. Throws a RangeError for an unknown time zone. */
export function periodAt(window: PeriodWindow, atMs: number): Period {
  switch (window.kind) {
    case 'fixed':
      return fixedPeriod(window.perMs, window.anchorAtMs, atMs);
    case 'fixed-month':
      return anchoredMonth(window.anchorAtMs, window.timeZone, atMs);
    case 'calendar':
      return calendarPeriod(window.unit, window.timeZone, atMs);
  }
}

/** How many periods from the one with `firstMs` to the one with `lastMs`, both counted. */
export function periodsFrom(window: PeriodWindow, firstMs: number, lastMs: number): number {
  const apartMs = periodAt(window, lastMs).startMs - periodAt(window, firstMs).startMs;
  return Math.round(apartMs / nominalMs(window)) + 1;
}

function nominalMs(window: PeriodWindow): number {
  if (window.kind === 'fixed') return window.perMs;
  return UNIT_MS[window.kind === 'calendar' ? window.unit : 'month'];
}

function fixedPeriod(perMs: number, anchorAtMs: number, atMs: number): Period {
  const startMs = anchorAtMs + Math.floor((atMs - anchorAtMs) / perMs) * perMs;
  return { startMs, endMs: startMs + perMs };
}

function anchoredMonth(anchorAtMs: number, timeZone: string, atMs: number): Period {
  const anchor = zoned(anchorAtMs, timeZone);
  const boundaryMs = (months: number) => anchor.add({ months }).epochMilliseconds;
  let months = anchor.until(zoned(atMs, timeZone), { largestUnit: 'month' }).months - 1;
  while (boundaryMs(months + 1) <= atMs) months += 1;
  while (boundaryMs(months) > atMs) months -= 1;
  return { startMs: boundaryMs(months), endMs: boundaryMs(months + 1) };
}

function calendarPeriod(unit: CalendarUnit, timeZone: string, atMs: number): Period {
  const first = firstDay(unit, zoned(atMs, timeZone).toPlainDate());
  const next = first.add({ [`${unit}s`]: 1 });
  const startMs = first.toZonedDateTime(timeZone).epochMilliseconds;
  return { startMs, endMs: next.toZonedDateTime(timeZone).epochMilliseconds };
}

/** The day on which the calendar unit of a day began; weeks begin on Monday. */
function firstDay(unit: CalendarUnit, day: Temporal.PlainDate): Temporal.PlainDate {
  switch (unit) {
    case 'day':
      return day;
    case 'week':
      return day.subtract({ days: day.dayOfWeek - 1 });
    case 'month':
      return day.with({ day: 1 });
  }
}

function zoned(atMs: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone);
}
