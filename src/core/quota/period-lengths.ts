/** How long the windows are that providers speak of, in ms; a month is 30 days, a session Ollama's five hours. */
export const PERIOD_MS = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  session: 5 * 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
} as const;

/** The name of such a window. */
export type PeriodName = keyof typeof PERIOD_MS;
