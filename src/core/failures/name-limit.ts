/** Which limit a refusal is about, from its words and its headers. How the words go: limit-forms.ts. */
import type { NamedLimit } from './failure.ts';
import { LIMIT_FORMS, type LimitForm } from './limit-forms.ts';
import type { Dialect, Metric } from '../model.ts';
import { PERIOD_MS, type PeriodName } from '../quota/period-lengths.ts';
import type { Standing } from '../quota/standing.ts';

/** What may name a limit. */
export interface Naming {
  readonly dialect: Dialect;
  /** Message, codes and quota ids. */
  readonly words: string;
  readonly standings: readonly Standing[];
}

/**
 * The limit that a refusal names: in words; else by the only header that shows one as spent. What the words leave out,
 * headers about the same limit complete. `null` where nothing is named, or several limits are with nothing to choose by.
 */
export function nameLimit({ dialect, words, standings }: Naming): NamedLimit | null {
  const sayings = sayingsIn(words, dialect);
  const named = choose(sayings, only(standings.filter(({ remaining }) => remaining === 0)));
  if (named === null) return null;
  const others = [...sayings.flatMap(({ names }) => only(names) ?? []), ...standings.flatMap(completing)];
  return others.reduce(complete, named);
}

interface Saying {
  readonly form: LimitForm;
  /** One for each set of figures. */
  readonly names: readonly NamedLimit[];
}

function sayingsIn(words: string, dialect: Dialect): readonly Saying[] {
  return LIMIT_FORMS.filter((form) => form.dialect === undefined || form.dialect === dialect)
    .map((form) => ({ form, names: namesIn(words, form) }))
    .filter(({ names }) => names.length > 0);
}

/** The first wording decides, unless it is vague and a header is not. */
function choose([first]: readonly Saying[], spent: Standing | null): NamedLimit | null {
  const isOverruled = first?.form.isVague === true && spent !== null;
  if (first !== undefined && !isOverruled) return only(first.names);
  return spent === null ? null : fromStanding(spent);
}

function namesIn(words: string, form: LimitForm): readonly NamedLimit[] {
  const names = [...words.matchAll(form.pattern)].map(({ groups = {} }) => ({
    metric: form.metric ?? METRICS.get(simple(groups['metric'])) ?? null,
    periodMs: lengthOf(form.period ?? PERIODS.get(simple(groups['period']))),
    amount: positive(count(groups['amount'])),
    used: count(groups['used']),
  }));
  const distinct = new Map(names.map((name) => [JSON.stringify(name), name]));
  return [...distinct.values()];
}

/** Lower-case letters and digits only: `Input Token` and `input_token` are `inputtoken`. */
function simple(text: string | undefined): string {
  return (text ?? '').toLowerCase().replaceAll(/[^a-z\d]/gu, '');
}

const METRICS: ReadonlyMap<string, Metric> = new Map([
  ['r', 'requests'],
  ['request', 'requests'],
  ['call', 'requests'],
  ['t', 'tokens'],
  ['token', 'tokens'],
  ['it', 'inputTokens'],
  ['inputtoken', 'inputTokens'],
  ['ot', 'outputTokens'],
  ['outputtoken', 'outputTokens'],
]);

/** A single `m` is a minute: it comes out of `RPM`. */
const PERIODS: ReadonlyMap<string, PeriodName> = new Map([
  ['s', 'second'],
  ['sec', 'second'],
  ['second', 'second'],
  ['m', 'minute'],
  ['min', 'minute'],
  ['minute', 'minute'],
  ['h', 'hour'],
  ['hour', 'hour'],
  ['hourly', 'hour'],
  ['session', 'session'],
  ['d', 'day'],
  ['day', 'day'],
  ['daily', 'day'],
  ['24hour', 'day'],
  ['24hours', 'day'],
  ['week', 'week'],
  ['weekly', 'week'],
  ['month', 'month'],
  ['monthly', 'month'],
]);

function lengthOf(period: PeriodName | undefined): number | null {
  return period === undefined ? null : PERIOD_MS[period];
}

/** A whole number below 10^15, thousands separated or not. */
function count(text: string | undefined): number | null {
  const digits = text?.replaceAll(',', '') ?? '';
  return /^\d{1,15}$/u.test(digits) ? Number(digits) : null;
}

/** A limit of 0 is none that could be learnt from. */
function positive(value: number | null): number | null {
  return value === 0 ? null : value;
}

function only<T>(values: readonly T[]): T | null {
  return values.length === 1 ? (values[0] ?? null) : null;
}

function fromStanding({ metric, periodMs, amount, remaining }: Standing): NamedLimit {
  return { metric, periodMs, amount, used: amount === null ? null : amount - remaining };
}

/** Headers whose window is not known may be about another limit of the same metric, unless they show it as spent. */
function completing(standing: Standing): readonly NamedLimit[] {
  return standing.periodMs !== null || standing.remaining === 0 ? [fromStanding(standing)] : [];
}

function complete(named: NamedLimit, other: NamedLimit): NamedLimit {
  const isSame =
    other.metric === named.metric && (other.periodMs === null || other.periodMs === named.periodMs);
  if (!isSame) return named;
  return { ...named, amount: named.amount ?? other.amount, used: named.used ?? other.used };
}
