/** Reads how an account's limits stand from the headers of an answer or a refusal. Which headers: standing-headers.ts. */
import type { Dialect } from '../model.ts';
import { type LimitHeaders, STANDING_ROWS, type StandingRow } from './standing-headers.ts';
import type { Standing } from './standing.ts';

/** A limit that headers tell about. */
export interface ToldLimit {
  readonly standing: Standing;
  /** When there is room again, as written; `null` where no header tells. */
  readonly resetText: string | null;
}

type Headers = Readonly<Record<string, string>>;

/**
 * What the headers say about the account's limits: at most one standing for each limit, none for a limit that they
 * leave out or give senselessly (not a whole number below 10^15, a limit of 0, more left than there is). Names in any
 * case. Never throws.
 */
export function readStandings(dialect: Dialect, headers: Headers): readonly Standing[] {
  return readToldLimits(dialect, headers).map(({ standing }) => standing);
}

/** The same, with the resets beside them. */
export function readToldLimits(dialect: Dialect, headers: Headers): readonly ToldLimit[] {
  const texts = new Map(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  return STANDING_ROWS[dialect].flatMap((row) => readRow(row, texts).slice(0, 1));
}

type Texts = ReadonlyMap<string, string>;

function readRow(row: StandingRow, texts: Texts): readonly ToldLimit[] {
  return row.names.flatMap((names) => {
    const counts = readCounts(names, texts);
    if (counts === null) return [];
    const { scope, metric, periodMs } = row;
    const resetText = names.reset === undefined ? null : (texts.get(names.reset) ?? null);
    return [{ standing: { scope, metric, periodMs, ...counts }, resetText }];
  });
}

function readCounts(names: LimitHeaders, texts: Texts): Pick<Standing, 'amount' | 'remaining'> | null {
  const remaining = wholeNumber(texts.get(names.remaining));
  const limitText = texts.get(names.limit);
  if (remaining === null) return null;
  if (limitText === undefined) return { amount: null, remaining };
  const amount = wholeNumber(limitText);
  return amount === null || amount === 0 || remaining > amount ? null : { amount, remaining };
}

function wholeNumber(text: string | undefined): number | null {
  const digits = text?.trim() ?? '';
  return /^\d{1,15}$/u.test(digits) ? Number(digits) : null;
}
