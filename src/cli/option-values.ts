/** Readers of option values; each refusal says what was expected and what came. */
import { InvalidArgumentError } from 'commander';
import { DOLLARS_FORM, parseDollars } from '../core/money/nano-dollars.ts';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from '../core/batch-terms.ts';
import type { Role } from '../app/process-registry.ts';

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/u.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(`Expected a whole number from 1, got ${JSON.stringify(text)}.`);
}

/** A priority: a whole number from -100 to 100. */
export function priority(text: string): number {
  const value = Number(text);
  if (/^[+-]?\d+$/u.test(text) && value >= LOWEST_PRIORITY && value <= HIGHEST_PRIORITY) return value;
  throw new InvalidArgumentError(
    `Expected a whole number from ${LOWEST_PRIORITY} to ${HIGHEST_PRIORITY}, got ${JSON.stringify(text)}.`,
  );
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

/** Dollars above 0, as billionths of one. */
export function dollars(text: string): number {
  const nanoDollars = parseDollars(text) ?? 0;
  if (nanoDollars > 0) return nanoDollars;
  throw new InvalidArgumentError(`Expected ${DOLLARS_FORM}, got ${JSON.stringify(text)}.`);
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

/** Names with commas between them. */
export function nameList(text: string): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  if (!entries.includes('')) return entries;
  throw new InvalidArgumentError(`Expected names with commas between them, got ${JSON.stringify(text)}.`);
}

/** How many to list: a whole number from 1 to 1,000. */
export function pageLength(text: string): number {
  const value = positiveInteger(text);
  if (value <= MOST_LISTED) return value;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_LISTED}, got ${text}.`);
}

const MOST_LISTED = 1_000;
const ROLES: readonly Role[] = ['api', 'dispatcher', 'worker'];

/** Roles with commas between them, each once. */
export function roles(text: string): readonly Role[] {
  const names = text.split(',').map((name) => name.trim());
  const chosen = ROLES.filter((role) => names.includes(role));
  const stranger = names.find((name) => !ROLES.some((role) => role === name));
  if (stranger === undefined && chosen.length > 0) return chosen;
  throw new InvalidArgumentError(
    `Expected roles out of ${ROLES.join(', ')} with commas between them, got ${JSON.stringify(stranger ?? text)}.`,
  );
}
