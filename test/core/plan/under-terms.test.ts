import { expect, it } from 'vitest';
import { ANY_TERMS, type BatchTerms } from '../../../src/core/batch-terms.ts';
import type { Forecast } from '../../../src/core/plan/forecast.ts';
import { underTerms } from '../../../src/core/plan/under-terms.ts';

const at = (text: string): number => Date.parse(`2026-11-${text}:00Z`);
const MINUTE_MS = 60_000;

/** Said at eleven in the evening. */
const doneAt = (text: string, nextAt?: string): Forecast => ({
  madeAtMs: at('20T23:00'),
  finishAtMs: at(text),
  spreadMs: 10 * MINUTE_MS,
  next: nextAt === undefined ? null : { scope: 'gemini', atMs: at(nextAt) },
});

const nightly: BatchTerms = {
  ...ANY_TERMS,
  nightWindow: { fromMinute: 22 * 60, untilMinute: 7 * 60, timeZone: 'UTC' },
};

it('a forecast without terms, or within the hours of its batch, is as it is', () => {
  expect(underTerms(doneAt('21T12:00', '21T09:00'), ANY_TERMS, false)).toEqual(
    doneAt('21T12:00', '21T09:00'),
  );
  expect(underTerms(doneAt('21T06:30', '21T02:00'), nightly, false)).toEqual(doneAt('21T06:30', '21T02:00'));
});

it('what the hours of a batch do not hold is done in the next ones, perhaps as soon as they begin', () => {
  expect(underTerms(doneAt('21T09:00', '21T08:00'), nightly, false)).toEqual({
    ...doneAt('22T00:00'),
    finishAtMs: at('22T00:00'),
    spreadMs: 120 * MINUTE_MS,
  });
  expect(underTerms(doneAt('21T07:05'), nightly, false)).toMatchObject({
    finishAtMs: at('21T22:05'),
    spreadMs: 10 * MINUTE_MS,
  });
});

it('a batch that pays for what is left is done at its deadline, and any other says when it would be', () => {
  const byMorning: BatchTerms = { ...ANY_TERMS, deadlineAtMs: at('21T07:00') };
  expect(underTerms(doneAt('21T09:00'), byMorning, true)).toMatchObject({
    finishAtMs: at('21T07:00'),
    spreadMs: MINUTE_MS,
  });
  expect(underTerms(doneAt('21T09:00'), byMorning, false)).toEqual(doneAt('21T09:00'));
  expect(underTerms(doneAt('21T06:00'), byMorning, true)).toEqual(doneAt('21T06:00'));
});

it('a forecast that says nothing of the end stays so', () => {
  const unknown: Forecast = { ...doneAt('21T09:00'), finishAtMs: null };
  expect(underTerms(unknown, nightly, true)).toBe(unknown);
});
