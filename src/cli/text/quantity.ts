/** Counts and times as people read them. */

const THOUSAND = 1_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `1,234,567`: a count in full. */
export function fullCount(count: number): string {
  return Math.round(count)
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/gu, ',');
}

/** `950`, `1.2k`, `180k`, `4.1M`: a count in at most five characters, rounded down so that it never promises more. */
export function shortCount(count: number): string {
  if (count < THOUSAND) return String(Math.floor(count));
  for (const unit of ['k', 'M', 'G']) {
    const size = unit === 'k' ? THOUSAND : unit === 'M' ? THOUSAND ** 2 : THOUSAND ** 3;
    if (count < size * THOUSAND || unit === 'G') return `${shortFraction(count / size)}${unit}`;
  }
  return String(count);
}

function shortFraction(value: number): string {
  const oneDigit = Math.floor(value * 10) / 10;
  return oneDigit < 100 && !Number.isInteger(oneDigit) ? oneDigit.toFixed(1) : String(Math.floor(value));
}

/** `3 lines`, `1 line`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${fullCount(count)} ${count === 1 ? one : many}`;
}

/** `850 ms`, `12 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`: a duration in its two largest units. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 600)
    return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`;
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  const hours = Math.round(ms / HOUR_MS);
  return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/**
 * An instant in local time as one would say it at `nowMs`: `09:00`, `tomorrow 09:00`, `Saturday 09:00`,
 * `2026-12-01 09:00`; with seconds within two minutes of now.
 */
export function clockTime(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const isClose = Math.abs(atMs - nowMs) < 2 * MINUTE_MS;
  const parts = [at.getHours(), at.getMinutes(), ...(isClose ? [at.getSeconds()] : [])];
  const time = parts.map((part) => String(part).padStart(2, '0')).join(':');
  const days = Math.round((midnight(atMs) - midnight(nowMs)) / DAY_MS);
  if (days === 0) return time;
  if (days === 1) return `tomorrow ${time}`;
  if (days > 1 && days < 7) return `${WEEKDAYS[at.getDay()]} ${time}`;
  return `${localDate(at)} ${time}`;
}

function localDate(at: Date): string {
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

function midnight(atMs: number): number {
  return new Date(atMs).setHours(0, 0, 0, 0);
}

/** `09:00 (in 12 min)`. */
export function untilText(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? 'now' : `${clockTime(atMs, nowMs)} (in ${durationText(atMs - nowMs)})`;
}
