/** Pace and outlook in words. */
import { clockTime, durationText, fullCount, untilText } from '../text/quantity.ts';
import type { Outlook } from './progress-view.ts';

/** `84 lines/min`. */
export function paceText(linesPerMinute: number | null): string {
  if (linesPerMinute === null) return '… lines/min';
  const pace = linesPerMinute < 10 ? Math.round(linesPerMinute * 10) / 10 : linesPerMinute;
  return `${pace < 10 ? pace : fullCount(pace)} lines/min`;
}

/** In whole seconds: milliseconds would only flicker. */
const SHORTEST_ETA_MS = 1_000;

/** `ETA 38 min (23:41)`, or what everything waits for. */
export function outlookText(outlook: Outlook, nowMs: number): string {
  switch (outlook.kind) {
    case 'unknown':
      return 'ETA …';
    case 'done':
      return 'done';
    case 'pace':
      return `ETA ${durationText(Math.max(SHORTEST_ETA_MS, outlook.finishAtMs - nowMs))} (${clockTime(outlook.finishAtMs, nowMs)})`;
    case 'waiting': {
      const opener = outlook.laneId === null ? 'the first parked line' : outlook.laneId;
      const verb = outlook.laneId === null ? 'is due' : 'opens';
      return `waiting; next: ${opener} ${verb} ${untilText(outlook.untilMs, nowMs)}`;
    }
  }
}
