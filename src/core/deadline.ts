/** Until when a batch has time, as people say it: a time of day, an instant, or how long from now. Pure. */
import { Temporal } from 'temporal-polyfill';
import { minuteText, readMinute } from './time-of-day.ts';

/** A deadline as it was asked for. */
export interface AskedDeadline {
  /** Equal for what is the same wish, whenever it is uttered: `07:00 Europe/Berlin`, `8h`. */
  readonly text: string;
  readonly when:
    | { readonly kind: 'time-of-day'; readonly minute: number; readonly timeZone: string }
    | { readonly kind: 'instant'; readonly atMs: number }
    /** From when it is said. */
    | { readonly kind: 'after'; readonly afterMs: number };
}

/** What came of reading a deadline. The message says what was expected, what came, and the way out. */
export type DeadlineReading =
  | { readonly kind: 'read'; readonly deadline: AskedDeadline }
  | { readonly kind: 'refused'; readonly message: string };

const MS_PER_UNIT: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A deadline further away than this is a slip: 366 days. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * Reads `07:00` (the next such time of day in the zone), `2026-11-21T07:00` (in the zone, unless it ends with `Z`, an offset
 * or a `[Zone]` of its own), or `8h` (`30m`, `1.5h`, `2d`: from now).
 */
export const readDeadline = (text: string, timeZone: string): DeadlineReading => {
  const given = text.trim();
  const when = timeOfDay(given, timeZone) ?? span(given) ?? instant(given, timeZone);
  if (when === null) {
    return {
      kind: 'refused',
      message: `Expected \`deadline\` to be a time of day (07:00), an instant (2026-11-21T07:00) or a time from now (8h), got ${JSON.stringify(text.slice(0, 60))}.`,
    };
  }
  return { kind: 'read', deadline: { text: canonicalText(given, when), when } };
};

/** What was asked for, in one form: a time of day without its zone would be another elsewhere. */
const canonicalText = (given: string, when: AskedDeadline['when']): string => {
  switch (when.kind) {
    case 'time-of-day':
      return `${minuteText(when.minute)} ${when.timeZone}`;
    case 'instant':
      return Temporal.Instant.fromEpochMilliseconds(when.atMs).toString();
    case 'after':
      return given.replaceAll(' ', '');
  }
};

const timeOfDay = (text: string, timeZone: string): AskedDeadline['when'] | null => {
  const minute = readMinute(text);
  return minute === null ? null : { kind: 'time-of-day', minute, timeZone };
};

const span = (text: string): AskedDeadline['when'] | null => {
  const [, amount, unit = ''] = /^(\d{1,9}(?:\.\d{1,6})?) ?([smhd])$/u.exec(text) ?? [];
  const afterMs = Math.round(Number(amount) * (MS_PER_UNIT[unit] ?? Number.NaN));
  return afterMs > 0 ? { kind: 'after', afterMs } : null;
};

/** With a zone or an offset of its own, or by the clocks of the zone. */
const instant = (text: string, timeZone: string): AskedDeadline['when'] | null => {
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/u.test(text)) return null;
  try {
    // Any offset, `+02` too: read as a plain date and time it would be passed over without a word.
    const isOwn = /[z+-]/iu.test(text.slice('2026-11-21'.length));
    const atMs = text.endsWith(']')
      ? Temporal.ZonedDateTime.from(text).epochMilliseconds
      : isOwn
        ? Temporal.Instant.from(text).epochMilliseconds
        : Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).epochMilliseconds;
    return { kind: 'instant', atMs };
  } catch {
    return null;
  }
};

/** When a deadline is, asked for at `nowMs`; a refusal where it has passed or is over a year away. */
export const deadlineAtMs = (
  { text, when }: AskedDeadline,
  nowMs: number,
):
  | { readonly kind: 'at'; readonly atMs: number }
  | { readonly kind: 'refused'; readonly message: string } => {
  const atMs = instantOf(when, nowMs);
  if (atMs <= nowMs) {
    return {
      kind: 'refused',
      message: `Expected \`deadline\` to lie ahead, got ${text}, which has passed. Name a later one.`,
    };
  }
  if (atMs - nowMs > LONGEST_MS) {
    return {
      kind: 'refused',
      message: `Expected \`deadline\` to be at most a year away, got ${text}. Leave it out if there is time.`,
    };
  }
  return { kind: 'at', atMs };
};

const instantOf = (when: AskedDeadline['when'], nowMs: number): number => {
  switch (when.kind) {
    case 'instant':
      return when.atMs;
    case 'after':
      return Math.ceil(nowMs) + when.afterMs;
    case 'time-of-day':
      return nextTimeOfDayMs(when, nowMs);
  }
};

/** The first instant after `nowMs` with that time of day: the first of two that the clocks show, and where they skip it the one an hour later. */
const nextTimeOfDayMs = (
  { minute, timeZone }: { readonly minute: number; readonly timeZone: string },
  nowMs: number,
): number => {
  const today = Temporal.Instant.fromEpochMilliseconds(Math.floor(nowMs))
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  const plainTime = new Temporal.PlainTime(Math.floor(minute / 60), minute % 60);
  for (let days = 0; ; days += 1) {
    const atMs = today.add({ days }).toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
    if (atMs > nowMs) return atMs;
  }
};
