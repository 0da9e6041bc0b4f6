/**
 * The leaf fields of the configuration file. A message that begins with "expected" is completed with what was
 * found there (see shape.ts); one that does not is shown as it is, which is how secrets stay out of messages.
 */
import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { DURATION_FORM, parseDuration } from './duration.ts';
import { NANO_DOLLARS_PER_DOLLAR, parseDollars } from '../core/money/nano-dollars.ts';
import { nearestNames } from '../core/nearest.ts';
import { suggestion } from './nearest.ts';

/** A mapping that refuses unknown keys and names the nearest known one; one line of message per unknown key. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'expected a mapping';
      return issue.keys.map((key) => `unknown key; ${suggestion(key, known)}`).join('\n');
    },
  });
}

/** A mapping from names of the user's choice. */
export function mappingOf<Value extends z.ZodType>(value: Value) {
  return z.record(z.string(), value, { error: 'expected a mapping' });
}

/** A list. */
export function listOf<Value extends z.ZodType>(value: Value) {
  return z.array(value, { error: 'expected a list' });
}

/** 1, 2, 3, …, as far as every integer is exact. */
export const positiveInteger = z
  .int({ error: 'expected a positive whole number' })
  .positive({ error: 'expected a positive whole number' });

/** Zero or more, fractions included. */
export const amount = z
  .number({ error: 'expected a number, 0 or more' })
  .min(0, { error: 'expected a number, 0 or more' });

const PRICE_FORM = 'expected US dollars from 0 to 1000 with at most 6 decimals, such as 0.05';
/** A thousand dollars per million tokens, or for one call: more than any model costs. */
const MOST_PRICE_NANO_DOLLARS = 1_000 * NANO_DOLLARS_PER_DOLLAR;

/** A price in US dollars, as billionths of one. */
export const price = z.number({ error: PRICE_FORM }).transform((value, context) => {
  const nanoDollars = parseDollars(String(value));
  return nanoDollars === null || nanoDollars > MOST_PRICE_NANO_DOLLARS
    ? refuse(context, PRICE_FORM)
    : nanoDollars;
});

const RATIO_FORM = 'expected a number from 0.1 to 10, such as 1.25';

/** How many times another number something is. */
export const ratio = z
  .number({ error: RATIO_FORM })
  .min(0.1, { error: RATIO_FORM })
  .max(10, { error: RATIO_FORM });

/** `true` or `false`. */
export const yesOrNo = z.boolean({ error: 'expected `true` or `false`' });

/** A text that is not empty. */
export const text = z.string({ error: 'expected a text' }).min(1, { error: 'expected a text' });

/** A duration, as milliseconds. */
export const duration = z
  .string({ error: `expected ${DURATION_FORM}` })
  .transform((value, context) => parseDuration(value) ?? refuse(context, `expected ${DURATION_FORM}`));

/** The length of a window. */
export type Period = { readonly kind: 'length'; readonly ms: number } | { readonly kind: 'month' };

/** A duration or `1month`. */
export const period = z
  .string({ error: `expected ${DURATION_FORM}, or 1month` })
  .transform((value, context): Period => {
    if (value.trim() === '1month') return { kind: 'month' };
    const ms = parseDuration(value);
    return ms === null ? refuse(context, `expected ${DURATION_FORM}, or 1month`) : { kind: 'length', ms };
  });

/** An IANA time zone name. */
export const timeZone = z
  .string({ error: 'expected a time zone such as UTC or America/Los_Angeles' })
  .transform((value, context) => (isTimeZone(value) ? value : refuse(context, unknownZone(value))));

const ANCHOR_FORM = 'expected an instant with its zone, such as 2026-11-20T04:00:00Z';

/** An ISO instant with a zone or offset, as milliseconds since 1970. */
export const anchor = z.string({ error: ANCHOR_FORM }).transform((value, context) => {
  try {
    return Temporal.Instant.from(value).epochMilliseconds;
  } catch {
    return refuse(context, ANCHOR_FORM);
  }
});

/** A share from `0%` to below `100%`, in hundredths of a percent so that arithmetic on it is exact. */
export const percent = z.string({ error: 'expected a share from 0% to 99%' }).transform((value, context) => {
  const match = /^(\d{1,2}(?:\.\d{1,2})?) ?%$/.exec(value.trim());
  if (match === null) return refuse(context, 'expected a share from 0% to 99%');
  return Math.round(Number(match[1]) * 100);
});

const REGION_FORM = 'expected a code of two letters such as EU, US or CN, or a list of them';

const region = z
  .string({ error: REGION_FORM })
  .regex(/^[A-Za-z]{2}$/, { error: REGION_FORM })
  .transform((code) => code.toUpperCase());

/** One region or several, as upper-case codes. */
export const regions = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(region, { error: REGION_FORM }).min(1, { error: REGION_FORM }),
);

/** The name of an environment variable. The value is never shown: it may be a key that was pasted here. */
export const variableName = z
  .string({ error: 'not the name of an environment variable, such as GROQ_API_KEY' })
  .regex(/^[A-Z_][A-Z0-9_]*$/, {
    error:
      'not the name of an environment variable, such as GROQ_API_KEY (the key itself never goes in here)',
  });

const ADDRESS_FORM = 'not an http or https address, such as http://127.0.0.1:8080/v1';

/** An http or https address without user, query or fragment, as it will be called: no `/` at its end. */
export const baseUrl = z.string({ error: ADDRESS_FORM }).transform((value, context) => {
  const problem = urlProblem(value);
  return problem === undefined ? value.replace(/\/+$/, '') : refuse(context, problem);
});

function urlProblem(value: string): string | undefined {
  const url = URL.parse(value.replaceAll(/\{[A-Z][A-Z0-9_]*\}/g, 'x'));
  if (url === null || !/^https?:$/.test(url.protocol)) return ADDRESS_FORM;
  if (url.username !== '' || url.password !== '')
    return 'holds a user or password; keys belong in `apiKeyEnv`';
  if (url.search !== '' || url.hash !== '')
    return 'has a query or fragment; say the address up to `/v1` only';
  return undefined;
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function unknownZone(name: string): string {
  const [nearest] = nearestNames(name, Intl.supportedValuesOf('timeZone'), 1);
  return nearest === undefined
    ? 'expected a time zone such as UTC or America/Los_Angeles'
    : `no such time zone; did you mean \`${nearest}\`?`;
}

function refuse(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
