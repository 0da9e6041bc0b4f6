/** Query strings, read strictly: an unknown, repeated or broken parameter is refused by name. */
import type { Request } from 'express';
import { DOLLARS_FORM, parseDollars } from '../../core/money/nano-dollars.ts';
import { nearestNames } from '../../core/nearest.ts';
import { HttpRefusal } from './refusal.ts';

/** Reads one parameter; `null` where it is missing. */
type Field<T> = (text: string | null, parameter: string) => T;

/** Reads one of the parameters that a request may have. */
export type QueryReader<Parameter extends string> = <T>(parameter: Parameter, field: Field<T>) => T;

/**
 * A reader of a request's parameters, of which there may be these and no others.
 *
 * @throws HttpRefusal 400 that names the parameter, what was expected and what came; so does the reader.
 */
export const queryOf = <Parameter extends string>(
  request: Request,
  ...known: readonly Parameter[]
): QueryReader<Parameter> => {
  const given = parametersOf(request);
  const names: readonly string[] = known;
  for (const parameter of given.keys()) {
    if (!names.includes(parameter)) throw unknownParameter(parameter, names);
    if (given.getAll(parameter).length > 1) throw broken(parameter, 'to be there once', 'it several times');
  }
  return (parameter, field) => field(given.get(parameter), parameter);
};

/** The parameters of a request as they came. */
export const parametersOf = ({ originalUrl }: Request): URLSearchParams => {
  const start = originalUrl.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : originalUrl.slice(start + 1));
};

/** Any text, an empty one too. */
export const text: Field<string | null> = (given) => given;

/** Text with something in it. */
export const requiredText: Field<string> = (given, parameter) => {
  if (given === null || given === '') throw broken(parameter, 'to be given', 'nothing');
  return given;
};

/** A whole number from 1 to `most`. */
export const wholeNumber =
  (most: number): Field<number | null> =>
  (given, parameter) => {
    if (given === null) return null;
    const value = /^\d{1,16}$/u.test(given) ? Number(given) : Number.NaN;
    if (value >= 1 && value <= most) return value;
    throw broken(parameter, `to be a whole number from 1 to ${most}`, quoted(given));
  };

/** Dollars above 0, as billionths of one. */
export const dollars: Field<number | null> = (given, parameter) => {
  if (given === null) return null;
  const nanoDollars = parseDollars(given) ?? 0;
  if (nanoDollars > 0) return nanoDollars;
  throw broken(parameter, `to be ${DOLLARS_FORM}`, quoted(given));
};

/** A whole number, negative ones too. */
export const integer: Field<number | null> = (given, parameter) => {
  if (given === null) return null;
  if (/^-?\d{1,15}$/u.test(given)) return Number(given);
  throw broken(parameter, 'to be a whole number', quoted(given));
};

/** Texts with commas between them; missing is none. */
export const list: Field<readonly string[]> = (given, parameter) => {
  if (given === null) return [];
  const entries = given.split(',').map((entry) => entry.trim());
  if (!entries.includes('')) return entries;
  throw broken(parameter, 'to be names with commas between them', quoted(given));
};

/** `true` or `false`; missing is false. */
export const flag: Field<boolean> = (given, parameter) => {
  if (given === null || given === 'false') return false;
  if (given === 'true') return true;
  throw broken(parameter, 'to be true or false', quoted(given));
};

/** One of these; missing is the first. */
export const oneOf =
  <Value extends string>(first: Value, ...others: readonly Value[]): Field<Value> =>
  (given, parameter) => {
    const values = [first, ...others];
    const value = given === null ? first : values.find((candidate) => candidate === given);
    if (value !== undefined) return value;
    throw broken(parameter, `to be one of ${values.join(', ')}`, quoted(given ?? ''));
  };

const LONGEST_QUOTED = 60;

const quoted = (given: string): string =>
  JSON.stringify(given.length <= LONGEST_QUOTED ? given : `${given.slice(0, LONGEST_QUOTED)}…`);

const broken = (parameter: string, expected: string, got: string): HttpRefusal =>
  new HttpRefusal(400, 'bad_query', `Expected the parameter \`${parameter}\` ${expected}, got ${got}.`);

const unknownParameter = (parameter: string, known: readonly string[]): HttpRefusal => {
  const [nearest] = nearestNames(parameter, known, 1);
  const hint = nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`;
  const expected = known.length === 0 ? 'no parameters' : `the parameters ${known.join(', ')}`;
  return new HttpRefusal(400, 'bad_query', `Expected ${expected}, got ${quoted(parameter)}.${hint}`);
};
