/** How long windows are, and where those with fixed boundaries end. The record answers the same in SQL: `window_end_ms`. */
import { Temporal } from 'temporal-polyfill';
import type { CalendarUnit, Window } from '../model.ts';
import { PERIOD_MS } from './period-lengths.ts';

/** A window whose boundaries lie on the calendar or are counted from an anchor. */
export type AlignedWindow = Extract<Window, { readonly kind: 'fixed' | 'fixed-month' | 'calendar' }>;

/** Windows up to this long come round so often that they are a rate rather than an amount. */
export const SHORT_WINDOW_MS = 5 * 60_000;

/** The length of a window in milliseconds; a month counts as 30 days. */
export const windowMs = (window: Window): number => {
  switch (window.kind) {
    case 'rolling':
    case 'refill':
    case 'fixed':
    case 'session':
      return window.perMs;
    case 'fixed-month':
      return PERIOD_MS.month;
    case 'calendar':
      return PERIOD_MS[window.unit];
  }
};

/** Whether both begin and end at the same instants, or after the same time, by what is declared of them. */
export const isSameWindow = (one: Window, other: Window): boolean => fieldsOf(one) === fieldsOf(other);

const fieldsOf = (window: Window): string =>
  Object.entries(window)
    .map(([name, value]) => `${name} ${value}`)
    .toSorted()
    .join(', ');

/**
 * When the window that holds the instant ends: the first boundary after `atMs`, an instant in milliseconds.
 *
 * A boundary that the clocks skip falls where they are put forward; of one that they show twice it is the second,
 * so that a window is never taken for over too early.
 *
 * @throws {RangeError} if the time zone is not an IANA name.
 */
export const windowEndMs = (window: AlignedWindow, atMs: number): number => {
  switch (window.kind) {
    case 'fixed':
      return window.anchorAtMs + (Math.floor((atMs - window.anchorAtMs) / window.perMs) + 1) * window.perMs;
    case 'fixed-month':
      return monthFromAnchorMs(window, atMs);
    case 'calendar':
      return instantMs(nextOnCalendar(window, localTime(atMs, window.timeZone)), window.timeZone);
  }
};

const nextOnCalendar = (
  { unit }: { readonly unit: CalendarUnit },
  local: Temporal.PlainDateTime,
): Temporal.PlainDateTime => {
  const today = local.toPlainDate().toPlainDateTime();
  switch (unit) {
    case 'day':
      return today.add({ days: 1 });
    case 'week':
      return today.add({ days: 8 - today.dayOfWeek });
    case 'month':
      return today.with({ day: 1 }).add({ months: 1 });
  }
};

/** Every boundary is counted from the anchor itself, so that a short month does not shift the rest. */
const monthFromAnchorMs = (
  { anchorAtMs, timeZone }: { readonly anchorAtMs: number; readonly timeZone: string },
  atMs: number,
): number => {
  const anchor = localTime(anchorAtMs, timeZone);
  const local = localTime(atMs, timeZone);
  const boundaryMs = (months: number): number => instantMs(anchor.add({ months }), timeZone);
  let months = (local.year - anchor.year) * 12 + local.month - anchor.month - 1;
  while (boundaryMs(months) <= atMs) months += 1;
  return boundaryMs(months);
};

const localTime = (atMs: number, timeZone: string): Temporal.PlainDateTime =>
  Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone).toPlainDateTime();

const instantMs = (local: Temporal.PlainDateTime, timeZone: string): number =>
  local.toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds;

/** Share of a window by which its end is stretched. */
const MARGIN_RATIO = 0.02;
/** And never by more than this. */
const LONGEST_MARGIN_MS = 2_000;
/** Of a session by this: when it began hangs on one call, and whoever is wrong about that has the next one begin with a refusal. */
const LONGEST_SESSION_MARGIN_MS = 15_000;
/** Nor by less, though windows may be short: a connection and its TLS handshake take some 100 ms on the way. */
const SHORTEST_MARGIN_MS = 100;
/** A busy machine takes longer than that: where it costs no more than this share of the window, more is allowed for. */
const BUSY_MARGIN_MS = 250;
const BUSY_MARGIN_RATIO = 0.05;

/**
 * How far apart we and the provider may be about when a call was made, in milliseconds: 2 % of the window and at most
 * 2 s (of sessions 15 s); of short windows up to 5 %, 0.25 s, and at least 0.1 s. It stretches time and never counts, so
 * that small limits lose nothing.
 */
export const marginMs = (window: Window): number => {
  if (!('perMs' in window)) return LONGEST_MARGIN_MS;
  const shortestMs = Math.max(SHORTEST_MARGIN_MS, Math.min(BUSY_MARGIN_MS, window.perMs * BUSY_MARGIN_RATIO));
  const longestMs = window.kind === 'session' ? LONGEST_SESSION_MARGIN_MS : LONGEST_MARGIN_MS;
  return Math.min(longestMs, Math.ceil(Math.max(shortestMs, window.perMs * MARGIN_RATIO)));
};
