/** When a night will be over, in words. */
import type { ForecastFinish } from '../../app/forecast/input-forecast.ts';
import { isOpenAt, type NightWindow } from '../../core/night-window.ts';
import { aboutMs } from '../text/done-about.ts';
import { clockTime, counted, durationText } from '../text/quantity.ts';

/** `about 02:40 (in 3 h 05 min), between 02:25 and 03:20`; with the day where it is not today's; `hours`: those of the batch. */
export function finishText(finish: ForecastFinish, nowMs: number, hours: NightWindow | null = null): string {
  if (finish.kind === 'never') {
    return `nobody can tell when: ${counted(finish.lines, 'line waits', 'lines wait')} for lanes that only you can open, or for longer than can be seen`;
  }
  const { atMs, earliestMs, latestMs } = finish;
  // Rounded, unless that is outside its hours.
  const about = (instantMs: number): number => {
    const rounded = aboutMs(instantMs, nowMs);
    return isOpenAt(hours, rounded) ? rounded : instantMs;
  };
  const clock = (instantMs: number): string => clockTime(about(instantMs), nowMs);
  return `about ${clock(atMs)} (in ${durationText(about(atMs) - nowMs)}), between ${clock(earliestMs)} and ${clock(latestMs)}`;
}
