/** What a forecast comes to by the terms of its batch. Plans know of no hours, and nothing of what is paid for at the end. */
import type { BatchTerms } from '../batch-terms.ts';
import { isOpenAt, openTimeEnd } from '../night-window.ts';
import type { Forecast } from './forecast.ts';

/** Nobody needs to know better when what is paid for comes before a deadline. */
const DEADLINE_SPREAD_MS = 60_000;

/**
 * The forecast of a batch with these terms. What its hours do not hold goes on in the next ones; quotas that come back
 * meanwhile may have it done as soon as these begin, which the spread has in it. If it `pays` for what is left then, it is
 * done at its deadline. Otherwise a finish after the deadline stays: it tells that lines will expire.
 */
export const underTerms = (
  forecast: Forecast,
  { nightWindow, deadlineAtMs }: BatchTerms,
  pays: boolean,
): Forecast => {
  const { madeAtMs, finishAtMs, spreadMs, next } = forecast;
  if (finishAtMs === null) return forecast;
  const { atMs, openedAtMs } = openTimeEnd(nightWindow, madeAtMs, finishAtMs - madeAtMs);
  const inHours: Forecast = {
    madeAtMs,
    finishAtMs: atMs,
    spreadMs: openedAtMs > madeAtMs ? Math.max(spreadMs, atMs - openedAtMs) : spreadMs,
    next: next !== null && isOpenAt(nightWindow, next.atMs) ? next : null,
  };
  if (!pays || deadlineAtMs === null || atMs <= deadlineAtMs) return inHours;
  return { ...inHours, finishAtMs: deadlineAtMs, spreadMs: Math.min(spreadMs, DEADLINE_SPREAD_MS) };
};
