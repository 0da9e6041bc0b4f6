/** Which nights are run, from the command line: by shape and seed, or from a file. */
import { readFile } from 'node:fs/promises';
import { positiveNumber, unknownName, wholeNumber } from '../bench/options.ts';
import type { Night } from './night.ts';
import { readNight } from './night-file.ts';
import { isShapeName, makeNight, SHAPES } from './nights.ts';

/** The options that say which, for `parseArgs`. */
export const NIGHT_OPTIONS = {
  shape: { type: 'string', default: 'mixed' },
  seeds: { type: 'string', default: '1' },
  scale: { type: 'string', default: '1' },
  faultless: { type: 'boolean', default: false },
  night: { type: 'string' },
} as const;

/** The same as `parseArgs` read them. */
export interface NightValues {
  readonly shape: string;
  readonly seeds: string;
  readonly scale: string;
  readonly faultless: boolean;
  /** A file with one night; then the others do not matter. */
  readonly night?: string;
}

/**
 * The nights that were asked for: every shape with every seed.
 *
 * @throws Error that names the option that is not as it should be.
 */
export const chosenNights = async (values: NightValues): Promise<readonly Night[]> => {
  if (values.night !== undefined) return [readNight(await readFile(values.night, 'utf8'))];
  const { faultless } = values;
  const scale = positiveNumber('scale', values.scale);
  const seeds = values.seeds.split(',').map((text) => wholeNumber('seeds', text));
  const names = values.shape === 'all' ? Object.keys(SHAPES) : values.shape.split(',');
  return names.flatMap((shape) => {
    if (!isShapeName(shape)) throw unknownName('shape', Object.keys(SHAPES), shape);
    return seeds.map((seed) => makeNight({ shape, seed, scale, faultless }));
  });
};
