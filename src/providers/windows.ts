/** The windows that entries of the catalog share. */
import type { Window } from '../core/model.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** One second for limits on calls a second: calls 1.0 s apart arrive closer than that now and then; 1.1 s is what users found safe. */
export const SECOND_WITH_JITTER: Window = { kind: 'rolling', perMs: 1_100 };
/** Any 60 s: also the stricter reading where the kind of a minute window is not documented. */
export const ROLLING_MINUTE: Window = { kind: 'rolling', perMs: MINUTE_MS };
/** Any 60 minutes. */
export const ROLLING_HOUR: Window = { kind: 'rolling', perMs: HOUR_MS };
/** Any 24 h: also the stricter reading where it is not documented when a day begins. */
export const ROLLING_DAY: Window = { kind: 'rolling', perMs: DAY_MS };
/** Any 7 days. */
export const ROLLING_WEEK: Window = { kind: 'rolling', perMs: 7 * DAY_MS };
/** A bucket that refills within a minute. */
export const REFILL_MINUTE: Window = { kind: 'refill', perMs: MINUTE_MS };
/** A bucket that refills within an hour. */
export const REFILL_HOUR: Window = { kind: 'refill', perMs: HOUR_MS };
/** A bucket that refills within 24 h, with no reset at midnight. */
export const REFILL_DAY: Window = { kind: 'refill', perMs: DAY_MS };
/** Five hours from the first call. */
export const FIVE_HOUR_SESSION: Window = { kind: 'session', perMs: 5 * HOUR_MS };
/** Midnight to midnight in UTC. */
export const UTC_DAY: Window = { kind: 'calendar', unit: 'day', timeZone: 'UTC' };
/** The first of a month to the first of the next, in UTC. */
export const UTC_MONTH: Window = { kind: 'calendar', unit: 'month', timeZone: 'UTC' };
/** Midnight to midnight in California, daylight saving included. */
export const PACIFIC_DAY: Window = { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' };
