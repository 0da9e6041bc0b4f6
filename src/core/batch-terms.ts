/**
 * The terms of a batch: when it may run, before whom, and until when. They are no part of what a batch is known by: the
 * same input submitted again with other terms is the same batch, which goes by the new ones. Pure.
 */
import { type AskedDeadline, readDeadline } from './deadline.ts';
import { type NightWindow, readNightWindow } from './night-window.ts';
import { isTimeZone } from './time-of-day.ts';

/** What a batch goes by. */
export interface BatchTerms {
  /** Calls begin only while it is open; `null`: at any time. */
  readonly nightWindow: NightWindow | null;
  /** Higher goes first: a whole number from {@link LOWEST_PRIORITY} to {@link HIGHEST_PRIORITY}. */
  readonly priority: number;
  /** What is not under way then ends as expired; `null`: it has all the time it needs. */
  readonly deadlineAtMs: number | null;
}

export const LOWEST_PRIORITY = -100;
export const HIGHEST_PRIORITY = 100;

/** The terms of a batch that none were asked for. */
export const ANY_TERMS: BatchTerms = { nightWindow: null, priority: 0, deadlineAtMs: null };

/** Terms as they are typed; `null` is what was not said. */
export interface AskedTerms {
  /** `22:00-07:00`, or `always`. */
  readonly between: string | null;
  readonly priority: number | null;
  /** See `readDeadline`, or `none`. */
  readonly deadline: string | null;
  /** IANA name: of the times of day among them. */
  readonly timeZone: string;
}

/** Terms that were said, understood. What is missing was not said, and stays as it is. */
export interface WantedTerms {
  readonly nightWindow?: NightWindow | null;
  readonly priority?: number;
  readonly deadline?: AskedDeadline | null;
}

/** What came of reading terms. The message says what was expected, what came, and the way out. */
export type TermsReading =
  | { readonly kind: 'read'; readonly wanted: WantedTerms }
  | { readonly kind: 'refused'; readonly message: string };

/** The words that lift a window and a deadline. */
const ALWAYS = 'always';
const NONE = 'none';

/** Understands terms; the first that makes no sense refuses them all. */
export const readTerms = ({ between, priority, deadline, timeZone }: AskedTerms): TermsReading => {
  if (!isTimeZone(timeZone)) {
    return refused(
      `Expected the time zone to be an IANA name such as Europe/Berlin or UTC, got ${JSON.stringify(timeZone)}.`,
    );
  }
  if (priority !== null && !isPriority(priority)) {
    return refused(
      `Expected \`priority\` to be a whole number from ${LOWEST_PRIORITY} to ${HIGHEST_PRIORITY}, got ${priority}.`,
    );
  }
  const window = between === null || between === ALWAYS ? null : readNightWindow(between, timeZone);
  if (window?.kind === 'refused') return window;
  const until = deadline === null || deadline === NONE ? null : readDeadline(deadline, timeZone);
  if (until?.kind === 'refused') return until;
  return {
    kind: 'read',
    wanted: {
      ...(between === null ? {} : { nightWindow: window?.nightWindow ?? null }),
      ...(priority === null ? {} : { priority }),
      ...(deadline === null ? {} : { deadline: until?.deadline ?? null }),
    },
  };
};

const isPriority = (value: number): boolean =>
  Number.isInteger(value) && value >= LOWEST_PRIORITY && value <= HIGHEST_PRIORITY;

const refused = (message: string): TermsReading => ({ kind: 'refused', message });
