/** Durations of a night as people say them. */
const MINUTE_MS = 60_000;

/** `2 h 05 min`, `41 min`; to the tenth of a minute below ten. */
export const asNightTime = (ms: number): string => {
  if (!Number.isFinite(ms)) return '-';
  if (ms < 10 * MINUTE_MS) return `${(ms / MINUTE_MS).toFixed(1)} min`;
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
};
