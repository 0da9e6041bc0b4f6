/** When a night will be over, in words. */
import type { ForecastFinish } from '../../app/forecast/input-forecast.ts';
import { aboutMs } from '../text/done-about.ts';
import { clockTime, counted, durationText } from '../text/quantity.ts';

/** `about 02:40 (in 3 h 05 min), between 02:25 and 03:20`; with the day where it is not today's. */
export function finishText(finish: ForecastFinish, nowMs: number): string {
  if (finish.kind === 'never') {
    return `nobody can tell when: ${counted(finish.lines, 'line')} wait for lanes that only you can open, or for longer than can be seen`;
  }
  const { atMs, earliestMs, latestMs } = finish;
  const at = aboutMs(atMs, nowMs);
  return `about ${clockTime(at, nowMs)} (in ${durationText(at - nowMs)}), between ${clockTime(aboutMs(earliestMs, nowMs), nowMs)} and ${clockTime(aboutMs(latestMs, nowMs), nowMs)}`;
}
