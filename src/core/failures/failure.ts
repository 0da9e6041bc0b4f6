/**
 * The one taxonomy of what may go wrong with a call. Expected outcomes are values: nothing here is thrown.
 *
 * classify-failure.ts finds the kind of a refusal, classify-answer.ts judges what came with a 200, and next-step.ts says
 * what follows from each kind.
 */
import type { Metric, TokenUsage } from '../model.ts';

/** Whom a refusal is about: this model only, or everything under this key. */
export type Scope = 'lane' | 'provider';

/** The window that is used up; a session opens with its first call (Ollama's five hours). */
export type QuotaPeriod = 'hour' | 'session' | 'day' | 'week' | 'month';

/** The limit that a refusal names, as far as it does. */
export interface NamedLimit {
  /** `null` where it does not say what it counts. */
  readonly metric: Metric | null;
  /** Length of its window in ms (a month: 30 days); `null` where it does not say. */
  readonly periodMs: number | null;
  /** Its full amount, and what was used of it, by the provider's count; `null` where it does not say. */
  readonly amount: number | null;
  readonly used: number | null;
}

/** What was wrong with an answer that came. */
export type AnswerFlaw =
  | 'empty'
  /** It stopped at the cap that Nightshift set, not at one the user asked for. */
  | 'truncated-by-our-cap'
  | 'truncated'
  | 'refused'
  /** A moderation model's `safe` or `unsafe` where something else was asked for. */
  | 'moderation-verdict'
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
  /** It is about calls under way at once: there is room as soon as one of them ends. */
  readonly isConcurrency?: true;
  readonly named?: NamedLimit;
}

/** The quota of an hour or longer is used up. */
export interface DayLimit extends Reasoned {
  readonly kind: 'day-limit';
  readonly scope: Scope;
  readonly period: QuotaPeriod;
  /** `null`: at the end of the period as the catalog declares the window. */
  readonly resetAtMs: number | null;
  readonly named?: NamedLimit;
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
  /** No status said that it failed: there may be an answer that never came whole, and it may count. Missing: one did. */
  readonly isCutOff?: true;
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
