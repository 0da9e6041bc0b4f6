/** Nights by shape and seed: the same for the same seed. */
import { chanceOf } from './chance.ts';
import type { Night } from './night.ts';
import { alike } from './shapes/alike.ts';
import { freeTiers } from './shapes/free-tiers.ts';
import { manyTiny } from './shapes/many-tiny.ts';
import { mixed } from './shapes/mixed.ts';
import { oneDominant } from './shapes/one-dominant.ts';
import { requestBound } from './shapes/request-bound.ts';
import type { Shape } from './shapes/shape.ts';
import { shortDeadline } from './shapes/short-deadline.ts';
import { tokenBound } from './shapes/token-bound.ts';

/** Every shape by its name, in the order in which they are run. */
export const SHAPES = {
  mixed,
  'free-tiers': freeTiers,
  'token-bound': tokenBound,
  'request-bound': requestBound,
  'one-dominant': oneDominant,
  'many-tiny': manyTiny,
  alike,
  'short-deadline': shortDeadline,
} as const satisfies Readonly<Record<string, Shape>>;

/** The name of a shape. */
export type ShapeName = keyof typeof SHAPES;

/** Whether a shape has this name. */
export const isShapeName = (name: string): name is ShapeName => Object.hasOwn(SHAPES, name);

/** Which night. */
export interface NightOptions {
  readonly shape: ShapeName;
  /** A whole number. */
  readonly seed: number;
  /** Without faults of any kind. Default: with them. */
  readonly faultless?: boolean;
  /** Part of the full night, above 0. Default 1. */
  readonly scale?: number;
}

/** Makes it. The faultless one has the tiers and documents of the other. */
export const makeNight = ({ shape, seed, faultless = false, scale = 1 }: NightOptions): Night => {
  const night = SHAPES[shape]({ chance: chanceOf(seed), scale });
  return { shape, seed, ...night, ...(faultless ? { faults: [] } : {}) };
};
