/** Values of a benchmark's options. */

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
