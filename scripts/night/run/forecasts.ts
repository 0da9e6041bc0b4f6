/** What Nightshift said of the end while it ran, set against the end: read from its own log. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunFigures } from './measure.ts';

/** The end as it was forecast, as parts of the time that the night really took: 1 is right. */
export interface ForecastFigures {
  /** By the first plan that knew of every lane how quick it is, or of the second minute of the night. */
  readonly atStart: number | null;
  /** By the last plan of the first half. */
  readonly atHalf: number | null;
}

const LONGEST_START_MS = 60_000;

const planMade = z.looseObject({
  msg: z.literal('plan.made'),
  madeAtMs: z.number(),
  finishAtMs: z.number().nullable(),
  untriedLanes: z.number(),
});

/** Reads the log in the data directory of a run that had one; instants are of the night. */
export const readForecasts = async (
  directory: string,
  { firstCallAtMs, makespanMs }: Pick<RunFigures, 'firstCallAtMs' | 'makespanMs'>,
): Promise<ForecastFigures> => {
  const text = await readFile(join(directory, 'data', 'nightshift.log'), 'utf8');
  const plans = text
    .split('\n')
    .filter((line) => line.includes('"plan.made"'))
    .map((line) => planMade.parse(JSON.parse(line)))
    .filter(({ madeAtMs }) => madeAtMs > firstCallAtMs - LONGEST_START_MS);
  const partOf = (finishAtMs: number | null | undefined): number | null =>
    finishAtMs === undefined || finishAtMs === null ? null : (finishAtMs - firstCallAtMs) / makespanMs;
  return {
    atStart: partOf(
      plans.find(
        ({ madeAtMs, untriedLanes }) => untriedLanes === 0 || madeAtMs > firstCallAtMs + LONGEST_START_MS,
      )?.finishAtMs,
    ),
    atHalf: partOf(plans.findLast(({ madeAtMs }) => madeAtMs <= firstCallAtMs + makespanMs / 2)?.finishAtMs),
  };
};
