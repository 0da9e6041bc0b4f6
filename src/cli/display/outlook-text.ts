/** Pace and outlook in words. */
import { clockTime, durationText, fullCount, untilText } from '../text/quantity.ts';
import { doneAboutText } from '../text/done-about.ts';
import { type ForecastView, isWait, type Outlook, type ProgressView } from './progress-view.ts';

/** `84 lines/min`. */
export function paceText(linesPerMinute: number | null): string {
  if (linesPerMinute === null) return '… lines/min';
  const pace = linesPerMinute < 10 ? Math.round(linesPerMinute * 10) / 10 : linesPerMinute;
  return `${pace < 10 ? pace : fullCount(pace)} lines/min`;
}

/** In whole seconds: milliseconds would only flicker. */
const SHORTEST_ETA_MS = 1_000;

/** What is known of the end: what everything waits for, and when it is done. */
export function endText(
  { outlook, forecast }: Pick<ProgressView, 'outlook' | 'forecast'>,
  nowMs: number,
): string {
  const text = outlookText(outlook, nowMs);
  return isWait(outlook) && forecast !== null ? `${text} · ${doneText(forecast, nowMs)}` : text;
}

/** `next: gemini opens 09:00 · done about 10:20 ±15 min`. */
export function forecastText(forecast: ForecastView, nowMs: number): string {
  const { next } = forecast;
  const opening =
    next === null
      ? []
      : [`next: ${next.scope} ${next.isShut ? 'opens' : 'resets'} ${clockTime(next.atMs, nowMs)}`];
  return [...opening, doneText(forecast, nowMs)].join(' · ');
}

function doneText({ finishAtMs, spreadMs, expiresAtMs }: ForecastView, nowMs: number): string {
  const done = doneAboutText(finishAtMs, spreadMs, nowMs);
  return expiresAtMs === null ? done : `${done}, but its deadline is ${clockTime(expiresAtMs, nowMs)}`;
}

/** `ETA 38 min (23:41)`, or what everything waits for. */
export function outlookText(outlook: Outlook, nowMs: number): string {
  switch (outlook.kind) {
    case 'unknown':
      return 'ETA …';
    case 'done':
      return 'done';
    case 'pace':
      return `ETA ${durationText(Math.max(SHORTEST_ETA_MS, outlook.finishAtMs - nowMs))} (${clockTime(outlook.finishAtMs, nowMs)})`;
    case 'forecast':
      return forecastText(outlook, nowMs);
    case 'outside-hours':
      return `waits until ${untilText(outlook.untilMs, nowMs)} for its hours`;
    case 'waiting': {
      const opener = outlook.laneId === null ? 'the first parked line' : outlook.laneId;
      const verb = outlook.laneId === null ? 'is due' : 'opens';
      return `waiting; next: ${opener} ${verb} ${untilText(outlook.untilMs, nowMs)}`;
    }
  }
}
