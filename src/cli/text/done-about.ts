/** When something will be done, said no more exactly than it is known. */
import { clockTime, durationText } from './quantity.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How far off something is at least, and what it is then rounded to. */
const GRAINS: readonly (readonly [fromMs: number, grainMs: number])[] = [
  [DAY_MS, 30 * MINUTE_MS],
  [2 * HOUR_MS, 5 * MINUTE_MS],
  [10 * MINUTE_MS, MINUTE_MS],
  [0, SECOND_MS],
];

/** The instant rounded to what can be meant by it: to seconds within minutes, to half hours over a day. Never before `nowMs`. */
export function aboutMs(atMs: number, nowMs: number): number {
  const grainMs = grainOf(atMs - nowMs);
  return Math.max(nowMs, Math.round(atMs / grainMs) * grainMs);
}

/** `done about 10:20 ±15 min`; with the day where it is not today. */
export function doneAboutText(finishAtMs: number, spreadMs: number, nowMs: number): string {
  const grainMs = grainOf(spreadMs);
  const spread = Math.max(SECOND_MS, Math.round(spreadMs / grainMs) * grainMs);
  return `done about ${clockTime(aboutMs(finishAtMs, nowMs), nowMs)} ±${durationText(spread).replace(/ 00 min$/u, '')}`;
}

function grainOf(awayMs: number): number {
  return GRAINS.find(([fromMs]) => awayMs >= fromMs)?.[1] ?? SECOND_MS;
}
