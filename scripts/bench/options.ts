/** Values of a benchmark's options. */
import { DURATION_FORM, parseDuration } from '../../src/config/duration.ts';

/**
 * The whole number, from 1, that an option was given.
 *
 * @throws Error that names the option.
 */
export const wholeNumber = (option: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`Expected --${option} to be a whole number from 1, got ${JSON.stringify(text)}.`);
  return value;
};

/**
 * The number above 0 that an option was given.
 *
 * @throws Error that names the option.
 */
export const positiveNumber = (option: string, text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new Error(`Expected --${option} to be a number above 0, got ${JSON.stringify(text)}.`);
  return value;
};

/** What to throw where an option names something that is not there. */
export const unknownName = (option: string, known: readonly string[], got: string): Error =>
  new Error(`Expected --${option} to name one of ${known.join(', ')}, got ${got}.`);

/**
 * The duration that an option was given, in milliseconds.
 *
 * @throws Error that names the option.
 */
export const durationMs = (option: string, text: string): number => {
  const ms = parseDuration(text);
  if (ms === null)
    throw new Error(`Expected --${option} to be ${DURATION_FORM}, got ${JSON.stringify(text)}.`);
  return ms;
};
