/** What a row of the table of signs is made of. The rows are in the files beside this one, their order in failure-signs.ts. */
import type { Evidence } from '../evidence.ts';
import type { AnswerFlaw, QuotaPeriod, Scope } from '../failure.ts';
import type { Dialect } from '../../model.ts';

/** What a row decides; the rest of the failure is read out of the evidence. */
export type Verdict =
  | { readonly kind: 'minute-limit'; readonly scope: Scope; readonly isConcurrency?: true }
  | { readonly kind: 'day-limit'; readonly scope: Scope; readonly period: QuotaPeriod; readonly reset: Reset }
  | { readonly kind: 'sick'; readonly mayHaveWorked: boolean }
  | { readonly kind: 'useless-answer'; readonly flaw: AnswerFlaw }
  | { readonly kind: 'no-money' | 'bad-key' | 'forbidden' | 'too-large' | 'bad-request' | 'gone' };

/** Whose word counts for the reset: the provider's, if it gave one; the window's alone; UTC midnight unless said. */
export type Reset = 'said' | 'window' | 'utc-midnight';

/** All signs a row gives must be there; statuses, codes and texts are alternatives among themselves. */
export interface Row {
  readonly seen: string;
  readonly dialect?: Dialect;
  readonly status?: readonly number[];
  /** In lower case. */
  readonly code?: readonly string[];
  readonly text?: RegExp;
  readonly when?: (evidence: Evidence) => boolean;
  readonly means: Verdict;
}

/** The model is not there, or not for this account. */
export const GONE: Verdict = { kind: 'gone' };
/** Refused before any work was done, for want of capacity. */
export const BUSY: Verdict = { kind: 'sick', mayHaveWorked: false };
/** Failed, perhaps after work was done. */
export const BROKEN: Verdict = { kind: 'sick', mayHaveWorked: true };
