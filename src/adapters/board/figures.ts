/** Counts and instants as the board writes them. */

/** `1,234,567`. */
export const fullCount = (count: number): string => Math.round(count).toLocaleString('en-US');

/** `2026-11-20T09:00:00.123Z`; `null` stays. */
export const instantText = (atMs: number | null): string | null =>
  atMs === null ? null : new Date(atMs).toISOString();

/** `2026-11-20 09:00 UTC`: whoever looks may be in another time zone than the server. */
export const minuteText = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
