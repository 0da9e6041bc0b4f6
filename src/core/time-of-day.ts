/** Times of day and time zones, as people type them. Pure. */
import { Temporal } from 'temporal-polyfill';

/** Minutes from midnight of `07:00` or `7:05`, 0 to 1,439; `null` for what is no time of day. */
export const readMinute = (text: string): number | null => {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/u.exec(text) ?? [];
  if (hour === undefined || minute === undefined) return null;
  return Number(hour) < 24 && Number(minute) < 60 ? Number(hour) * 60 + Number(minute) : null;
};

/** `07:05`. */
export const minuteText = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

/** Whether it is the name of a zone that everybody here knows (an offset such as `+02:00` is none: it has no summer). */
export const isTimeZone = (name: string): boolean => {
  if (!/^[A-Za-z][\w+/-]*$/u.test(name)) return false;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).epochMilliseconds === 0;
  } catch {
    return false;
  }
};
