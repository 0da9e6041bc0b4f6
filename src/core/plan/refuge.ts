/** What has nowhere else to go when the lanes that may take it have used up their day. */
import { SHORT_WINDOW_MS, windowMs } from '../quota/window.ts';
import type { LinearSolution } from './linear-programme.ts';
import type { NightProgramme } from './programme.ts';
import type { PlanLane } from './situation.ts';
import type { SizeClass } from './size-classes.ts';

/** Duals nearer to nothing than this are rounding. */
const LEAST_DUAL = 1e-9;

/**
 * Classes of which every lane that may take them runs out of a long window. They go first there: one that fails then has a
 * second try while there is quota. Later it would wait for the window to end, for hours, and the night with it. What
 * goes last in their place has a lane that does not run out.
 */
export const withoutRefuge = (
  { placements, limitRows }: Pick<NightProgramme, 'placements' | 'limitRows'>,
  { rowDuals }: Pick<LinearSolution, 'rowDuals'>,
): ReadonlySet<SizeClass> => {
  const dry = new Set(
    limitRows.flatMap(({ limit: { scope, window }, row }) =>
      windowMs(window) > SHORT_WINDOW_MS && (rowDuals[row] ?? 0) < -LEAST_DUAL ? [scope] : [],
    ),
  );
  const runsDry = ({ id, providerId }: PlanLane): boolean => dry.has(id) || dry.has(providerId);
  const safe = new Set(placements.flatMap(({ lane, sizeClass }) => (runsDry(lane) ? [] : [sizeClass])));
  return new Set(placements.flatMap(({ sizeClass }) => (safe.has(sizeClass) ? [] : [sizeClass])));
};
