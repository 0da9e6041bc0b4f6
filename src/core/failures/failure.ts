/**
 * The one taxonomy of what may go wrong with a call. Expected outcomes are values: nothing here is thrown.
 *
 * classify-failure.ts finds the kind of a refusal, classify-answer.ts judges what came with a 200, and next-step.ts says
 * what follows from each kind.
 */
import type { TokenUsage } from '../model.ts';

/** Whom a refusal is about: this model only, or everything under this key. */
export type Scope = 'lane' | 'provider';

/** The length of a window that is used up. */
export type QuotaPeriod = 'day' | 'week' | 'month';

/** What was wrong with an answer that came. */
export type AnswerFlaw =
  | 'empty'
  /** It stopped at the cap that Nightshift set, not at one the user asked for. */
  | 'truncated-by-our-cap'
  | 'truncated'
  | 'refused'
  | 'not-json';

/** A member of every failure: at most 200 characters on one line, keys redacted; fit for records, logs and the board. */
interface Reasoned {
  readonly reason: string;
}

/** The minute's quota is used up, or too many calls are under way. */
export interface MinuteLimit extends Reasoned {
  readonly kind: 'minute-limit';
  readonly scope: Scope;
  /** When the provider said to come back; `null` where it did not say. */
  readonly retryAtMs: number | null;
}

/** The day's, week's or month's quota is used up. */
export interface DayLimit extends Reasoned {
  readonly kind: 'day-limit';
  readonly scope: Scope;
  readonly period: QuotaPeriod;
  /** `null`: at the end of the period as the catalog declares the window. */
  readonly resetAtMs: number | null;
}

/** The account has to be paid for or topped up. */
export interface NoMoney extends Reasoned {
  readonly kind: 'no-money';
}

/** The key is wrong, expired or revoked. */
export interface BadKey extends Reasoned {
  readonly kind: 'bad-key';
}

/** A lone 403: this request may not be served by this provider. */
export interface Forbidden extends Reasoned {
  readonly kind: 'forbidden';
}

/** The request can never fit this lane. */
export interface TooLarge extends Reasoned {
  readonly kind: 'too-large';
  /** The bound the provider named, in tokens; `null` where it named none. */
  readonly limitTokens: number | null;
}

/** The provider will not take the request as it is. */
export interface BadRequest extends Reasoned {
  readonly kind: 'bad-request';
  /** The body's member it named; `null` where it named none. */
  readonly parameter: string | null;
}

/** The model is no longer there, or not for this account. */
export interface Gone extends Reasoned {
  readonly kind: 'gone';
}

/** The provider, or the way to it, does not work at the moment. */
export interface Sick extends Reasoned {
  readonly kind: 'sick';
  /** Whether tokens may have been spent: true of timeouts and 500s, false of a 503 or a busy upstream. */
  readonly mayHaveWorked: boolean;
  readonly retryAtMs: number | null;
}

/** Nothing reached the provider: no name, no connection, no TLS. */
export interface Unreachable extends Reasoned {
  readonly kind: 'unreachable';
}

/** An answer came that is of no use. */
export interface UselessAnswer extends Reasoned {
  readonly kind: 'useless-answer';
  readonly flaw: AnswerFlaw;
  /** What it cost; `null` where the provider did not say. */
  readonly usage: TokenUsage | null;
}

/** The call was stopped from our side (Ctrl-C, cancelled, a lease that ran out). */
export interface Aborted extends Reasoned {
  readonly kind: 'aborted';
}

/** A refusal of a form nobody described. */
export interface UnknownFailure extends Reasoned {
  readonly kind: 'unknown';
  readonly status: number | null;
}

/** What became of a call that brought no answer. */
export type Failure =
  | MinuteLimit
  | DayLimit
  | NoMoney
  | BadKey
  | Forbidden
  | TooLarge
  | BadRequest
  | Gone
  | Sick
  | Unreachable
  | UselessAnswer
  | Aborted
  | UnknownFailure;

/** The name of a failure's kind, as records and logs carry it. */
export type FailureKind = Failure['kind'];
