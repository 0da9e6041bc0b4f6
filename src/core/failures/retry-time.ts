/**
 * When a provider says to come back: every way of writing an instant or a wait that the providers use, read by
 * arithmetic (core has no clock). Formats and their sources: the limit headers and retry texts of the provider facts.
 */

/** Nothing a provider says parks work for longer than this: a month and a day. */
export const MAX_WAIT_MS = 32 * 86_400_000;

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/gu;

/** A duration such as `2m59.56s`, `17s`, `120ms`, `1h2m` (Go, protobuf) in ms; `null` where it is anything else. */
export function parseDurationMs(text: string): number | null {
  const trimmed = text.trim();
  let length = 0;
  let durationMs = 0;
  for (const [whole, amount, unit] of trimmed.slice(0, MAX_TEXT).matchAll(DURATION_PART)) {
    length += whole.length;
    durationMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return length > 0 && length === trimmed.length && Number.isFinite(durationMs) ? durationMs : null;
}

const MAX_TEXT = 64;

/** Plain numbers below are seconds from now, then seconds since 1970, then milliseconds since 1970. */
const FIRST_EPOCH_SECONDS = 1e9;
const FIRST_EPOCH_MS = 1e11;

/**
 * The instant a header or body names: seconds from now, epoch seconds or milliseconds by magnitude, a duration,
 * an HTTP date, an RFC 3339 instant. Never before `nowMs` nor more than 32 days after; `null` where it says nothing.
 */
export function parseRetryInstant(text: string, nowMs: number): number | null {
  const value = text.trim();
  if (/^\d{1,20}(?:\.\d{1,20})?$/u.test(value))
    return clampInstant(instantOfNumber(Number(value), nowMs), nowMs);
  const durationMs = parseDurationMs(value);
  if (durationMs !== null) return clampInstant(nowMs + durationMs, nowMs);
  const instantMs = parseHttpDate(value) ?? parseRfc3339(value);
  return instantMs === null ? null : clampInstant(instantMs, nowMs);
}

function instantOfNumber(value: number, nowMs: number): number {
  if (value >= FIRST_EPOCH_MS) return value;
  return value >= FIRST_EPOCH_SECONDS ? value * 1_000 : nowMs + value * 1_000;
}

function clampInstant(instantMs: number, nowMs: number): number {
  return Math.ceil(Math.min(Math.max(instantMs, nowMs), nowMs + MAX_WAIT_MS));
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const HTTP_DATE = /^[a-z]{3}, (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/iu;

/** An instant as HTTP writes it (`Fri, 20 Nov 2026 07:00:00 GMT`), in ms since 1970; `null` for anything else. */
export function parseHttpDate(text: string): number | null {
  const [, day, monthName, year, hour, minute, second] = HTTP_DATE.exec(text.trim()) ?? [];
  const month = MONTHS.indexOf(monthName?.toLowerCase() ?? '') + 1;
  return month === 0 ? null : toInstantMs([year, month, day, hour, minute, second]);
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[t ](\d{2}):(\d{2}):(\d{2}(?:\.\d{1,12})?)(?:z|([+-])(\d{2}):(\d{2}))$/iu;

/** An RFC 3339 instant, in ms since 1970; `null` for anything else. */
export function parseRfc3339(text: string): number | null {
  const [, year, month, day, hour, minute, second, sign, zoneHours = '0', zoneMinutes = '0'] =
    RFC3339.exec(text.trim()) ?? [];
  if (year === undefined) return null;
  const offsetMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return toInstantMs([year, month, day, hour, minute, second]) + (sign === '-' ? offsetMs : -offsetMs);
}

function toInstantMs(parts: readonly (string | number | undefined)[]): number {
  const [year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return daysSince1970(year, month, day) * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1_000;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, "days_from_civil"). */
function daysSince1970(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

/** The next midnight UTC strictly after `nowMs`. */
export function nextUtcMidnight(nowMs: number): number {
  return (Math.floor(nowMs / 86_400_000) + 1) * 86_400_000;
}
