/** Durations as people write them: `100ms`, `90s`, `1.5h`, `30d`. */

const MS_PER_UNIT: Readonly<Record<'ms' | 's' | 'm' | 'h' | 'd' | 'w', number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const UNITS_LARGEST_FIRST = ['d', 'h', 'm', 's', 'ms'] as const;

/** The shortest duration a configuration may hold, in milliseconds. */
export const SHORTEST_MS = 100;
/** The longest duration a configuration may hold, in milliseconds: 30 days. */
export const LONGEST_MS = 30 * MS_PER_UNIT.d;

/** What a duration must look like, for messages. */
export const DURATION_FORM = 'a duration from 100ms to 30d, such as 90s, 2m, 1.5h or 1d';

/**
 * Milliseconds of a duration such as `1.5h`, rounded to whole ones; `null` when the text is not a duration or
 * lies outside 100ms to 30d. Units: ms, s, m, h, d, w; fractions are allowed, signs and exponents are not.
 */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d|w)$/.exec(text.trim()) ?? [];
  if (!isUnit(unit)) return null;
  const ms = Math.round(Number(amount) * MS_PER_UNIT[unit]);
  return ms >= SHORTEST_MS && ms <= LONGEST_MS ? ms : null;
}

/** The same duration in the largest unit that gives a whole number: 5,400,000 is `90m`. */
export function formatDuration(ms: number): string {
  const unit = UNITS_LARGEST_FIRST.find((candidate) => ms % MS_PER_UNIT[candidate] === 0) ?? 'ms';
  return `${ms / MS_PER_UNIT[unit]}${unit}`;
}

function isUnit(unit: string | undefined): unit is keyof typeof MS_PER_UNIT {
  return unit !== undefined && Object.hasOwn(MS_PER_UNIT, unit);
}
