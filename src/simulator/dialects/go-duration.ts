/** Durations the way Groq and OpenAI write them. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** `2m59.56s`, `7.66s`, `250ms`, `1h0m3s`: Go's style, rounded up to whole milliseconds, so never too short. */
export function goDuration(durationMs: number): string {
  const wholeMs = Math.max(0, Math.ceil(durationMs));
  if (wholeMs < SECOND_MS) return `${wholeMs}ms`;
  const hours = Math.floor(wholeMs / HOUR_MS);
  const minutes = Math.floor((wholeMs % HOUR_MS) / MINUTE_MS);
  const seconds = `${(wholeMs % MINUTE_MS) / SECOND_MS}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
