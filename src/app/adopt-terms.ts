/** The terms that a submission asks for, applied to its batch: a new one, or one that the record knows. */
import {
  ANY_TERMS,
  type AskedTerms,
  type BatchTerms,
  readTerms,
  type WantedTerms,
} from '../core/batch-terms.ts';
import { deadlineAtMs } from '../core/deadline.ts';
import type { Batch, BatchStore } from './batch-store.ts';
import { BatchRefused } from './batches.ts';

/** What a batch goes by, and what its deadline was asked for as. */
export type TermsInForce = Pick<Batch, 'terms' | 'deadlineText'>;

/** What a batch goes by that no terms were asked for. */
const NO_TERMS: TermsInForce = { terms: ANY_TERMS, deadlineText: null };

/**
 * The terms that were asked for, understood.
 *
 * @throws BatchRefused for terms that make no sense, or a zone that the record does not know.
 */
export const wantedTerms = async (
  store: Pick<BatchStore, 'knowsTimeZone'>,
  asked: AskedTerms,
): Promise<WantedTerms> => {
  const wanted = requireTerms(asked);
  const zone = wanted.nightWindow?.timeZone;
  if (zone === undefined || (await store.knowsTimeZone(zone))) return wanted;
  throw new BatchRefused(
    'invalid',
    `Expected the time zone to be one that the record knows, too, got ${JSON.stringify(zone)}. Use a common name such as Europe/Berlin or UTC.`,
  );
};

/** The same as far as it can be told without a record. @throws BatchRefused for terms that make no sense. */
export const requireTerms = (asked: AskedTerms): WantedTerms => {
  const reading = readTerms(asked);
  if (reading.kind === 'refused') throw new BatchRefused('invalid', reading.message);
  return reading.wanted;
};

/** The terms of a new batch. @throws BatchRefused for a deadline that has passed. */
export const newTerms = (wanted: WantedTerms, nowMs: number): TermsInForce =>
  termsAfter(NO_TERMS, wanted, nowMs);

/**
 * What a batch goes by once it was submitted again. What is not said stays. So does a deadline that is asked for in the
 * same words: the command that resumes a batch tomorrow means the instant that it meant today, though it has passed.
 *
 * @throws BatchRefused for another deadline that has passed.
 */
export const termsAfter = (
  before: TermsInForce,
  { nightWindow, priority, deadline }: WantedTerms,
  nowMs: number,
): TermsInForce => {
  const said = {
    nightWindow: nightWindow === undefined ? before.terms.nightWindow : nightWindow,
    priority: priority ?? before.terms.priority,
  };
  if (deadline === undefined || deadline?.text === before.deadlineText) {
    return {
      terms: { ...said, deadlineAtMs: before.terms.deadlineAtMs },
      deadlineText: before.deadlineText,
    };
  }
  if (deadline === null) return { terms: { ...said, deadlineAtMs: null }, deadlineText: null };
  const found = deadlineAtMs(deadline, nowMs);
  if (found.kind === 'refused') throw new BatchRefused('invalid', found.message);
  return { terms: { ...said, deadlineAtMs: found.atMs }, deadlineText: deadline.text };
};

/** Whether two batches with these terms would run alike. */
export const areSameTerms = (one: BatchTerms, other: BatchTerms): boolean =>
  one.priority === other.priority &&
  one.deadlineAtMs === other.deadlineAtMs &&
  one.nightWindow?.fromMinute === other.nightWindow?.fromMinute &&
  one.nightWindow?.untilMinute === other.nightWindow?.untilMinute &&
  one.nightWindow?.timeZone === other.nightWindow?.timeZone;
