/** Readers of option values; each refusal says what was expected and what came. */
import { InvalidArgumentError } from 'commander';

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/u.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(`Expected a whole number from 1, got ${JSON.stringify(text)}.`);
}

/** A whole number from 0. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/u.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(`Expected a whole number from 0, got ${JSON.stringify(text)}.`);
}

/** A number from 1, with or without decimals. */
export function factor(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 1) return value;
  throw new InvalidArgumentError(`Expected a number from 1, got ${JSON.stringify(text)}.`);
}

/** A TCP port; 0 is any free one. */
export function port(text: string): number {
  const value = wholeNumber(text);
  if (value <= 65_535) return value;
  throw new InvalidArgumentError(`Expected a port from 0 to 65535, got ${text}.`);
}

/** A text with something in it. */
export function filled(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected a text, got an empty one.');
}
