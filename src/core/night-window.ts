/**
 * The hours of a day in which a batch may run. A window is open whenever a clock on the wall of its zone shows a time in
 * it: where the clocks skip its beginning it opens as they are put forward, and where they show an hour twice it is open
 * in both. Pure; the record answers the same in SQL: `functions/night-window.sql`.
 */
import { Temporal } from 'temporal-polyfill';
import { minuteText, readMinute } from './time-of-day.ts';
import { PERIOD_MS } from './quota/period-lengths.ts';

/** From one time of day to another; over midnight where it ends before it begins. */
export interface NightWindow {
  /** In minutes from midnight, 0 to 1,439; never equal to `untilMinute`. */
  readonly fromMinute: number;
  /** The first minute that is not in it any more, 0 to 1,439. */
  readonly untilMinute: number;
  /** IANA name. */
  readonly timeZone: string;
}

/** What came of reading a window. The message says what was expected, what came, and the way out. */
export type NightWindowReading =
  | { readonly kind: 'read'; readonly nightWindow: NightWindow }
  | { readonly kind: 'refused'; readonly message: string };

/** Reads `22:00-07:00`; it may end at `24:00`. The zone is taken as it is. */
export const readNightWindow = (text: string, timeZone: string): NightWindowReading => {
  const [, from = '', until = ''] = /^\s*([\d:]+)\s*[-–]\s*([\d:]+)\s*$/u.exec(text) ?? [];
  const fromMinute = readMinute(from);
  const untilMinute = until === '24:00' ? 0 : readMinute(until);
  if (fromMinute === null || untilMinute === null) {
    return refused(
      `Expected \`between\` to be two times of day such as 22:00-07:00, got ${JSON.stringify(text)}.`,
    );
  }
  if (fromMinute === untilMinute) {
    return refused(
      `Expected \`between\` to begin and to end at two different times of day, got ${JSON.stringify(text)}, which is the whole day or none of it. Leave it out for the whole day.`,
    );
  }
  return { kind: 'read', nightWindow: { fromMinute, untilMinute, timeZone } };
};

const refused = (message: string): NightWindowReading => ({ kind: 'refused', message });

/** The window as it is typed: `22:00-07:00`. */
export const nightWindowText = ({ fromMinute, untilMinute }: NightWindow): string =>
  `${minuteText(fromMinute)}-${minuteText(untilMinute)}`;

/** Whether calls may begin at the instant; without a window always. */
export const isOpenAt = (window: NightWindow | null, atMs: number): boolean =>
  window === null || holds(window, wallMs(zonedAt(window, atMs)));

/** The first instant from `atMs` on, itself included, at which calls may begin. */
export const opensAtMs = (window: NightWindow | null, atMs: number): number =>
  window === null || isOpenAt(window, atMs) ? atMs : changesAtMs(window, atMs);

/** The first instant from `atMs` on, itself included, at which no call may begin any more; `null` where there is no window. */
export const closesAtMs = (window: NightWindow | null, atMs: number): number | null => {
  if (window === null) return null;
  return isOpenAt(window, atMs) ? changesAtMs(window, atMs) : atMs;
};

/** A day may be without its hours, where the clocks skip all of them. */
const MOST_CLOSED_MS = 3 * PERIOD_MS.day;

/** Until when calls may begin of those that begin before `untilMs`: then, or when the window closes for the last time. */
export const lastOpenMs = (window: NightWindow | null, untilMs: number): number => {
  let lastMs = untilMs - MOST_CLOSED_MS;
  for (;;) {
    const fromMs = opensAtMs(window, lastMs);
    if (fromMs >= untilMs) return lastMs;
    lastMs = closesAtMs(window, fromMs) ?? Infinity;
    if (lastMs >= untilMs) return untilMs;
  }
};

/** Where a stretch of open time ends. */
export interface OpenTimeEnd {
  readonly atMs: number;
  /** When the window opened last before that, but no earlier than the stretch begins. */
  readonly openedAtMs: number;
}

/** So many openings are gone through one by one; longer stretches begin with whole days at once, however the clocks are set. */
const MOST_OPENINGS = 60;

/** The instant until which the window is open for `openMs` in all, counted from `fromMs` on. */
export const openTimeEnd = (window: NightWindow | null, fromMs: number, openMs: number): OpenTimeEnd => {
  const dayMs = window === null ? PERIOD_MS.day : lengthMs(window);
  const days = window === null ? 0 : Math.max(0, Math.floor(openMs / dayMs) - MOST_OPENINGS);
  let leftMs = openMs - days * dayMs;
  let openedAtMs = opensAtMs(window, fromMs + days * PERIOD_MS.day);
  for (;;) {
    const shutAtMs = closesAtMs(window, openedAtMs) ?? Infinity;
    if (leftMs <= shutAtMs - openedAtMs) return { atMs: openedAtMs + leftMs, openedAtMs };
    leftMs -= shutAtMs - openedAtMs;
    openedAtMs = opensAtMs(window, shutAtMs);
  }
};

/** For how long of the time between two instants the window is open. */
export const openTimeMs = (window: NightWindow | null, fromMs: number, untilMs: number): number => {
  let sumMs = 0;
  for (let openedAtMs = opensAtMs(window, fromMs); openedAtMs < untilMs;) {
    const shutAtMs = Math.min(untilMs, closesAtMs(window, openedAtMs) ?? Infinity);
    sumMs += shutAtMs - openedAtMs;
    openedAtMs = opensAtMs(window, shutAtMs);
  }
  return sumMs;
};

/** The first instant after `atMs` at which the window is not as it is then. */
const changesAtMs = (window: NightWindow, atMs: number): number => {
  const wasOpen = isOpenAt(window, atMs);
  let fromMs = atMs;
  for (;;) {
    const zoned = zonedAt(window, fromMs);
    const boundaryMs = fromMs + untilBoundaryMs(window, wallMs(zoned));
    const shiftMs = zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity;
    if (boundaryMs < shiftMs) return boundaryMs;
    // The clocks are set before the boundary comes: it may come with that, or later than it seemed, or not today.
    if (isOpenAt(window, shiftMs) !== wasOpen) return shiftMs;
    fromMs = shiftMs;
  }
};

/** How long it is until a clock on the wall shows the next boundary, if nobody sets it; above 0. */
const untilBoundaryMs = (window: NightWindow, atWallMs: number): number => {
  const boundary = (holds(window, atWallMs) ? window.untilMinute : window.fromMinute) * 60_000;
  return (boundary - atWallMs + PERIOD_MS.day) % PERIOD_MS.day;
};

const holds = ({ fromMinute, untilMinute }: NightWindow, atWallMs: number): boolean => {
  const [from, until] = [fromMinute * 60_000, untilMinute * 60_000];
  return from < until ? atWallMs >= from && atWallMs < until : atWallMs >= from || atWallMs < until;
};

const lengthMs = ({ fromMinute, untilMinute }: NightWindow): number =>
  ((untilMinute - fromMinute) * 60_000 + PERIOD_MS.day) % PERIOD_MS.day;

const zonedAt = ({ timeZone }: NightWindow, atMs: number): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone);

/** What a clock on the wall shows, in ms from midnight. */
const wallMs = ({ hour, minute, second, millisecond }: Temporal.ZonedDateTime): number =>
  ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond;
