/**
 * The plain definition of every window, slow and without state: what was charged before, read anew each time.
 * Calendar days come from Intl and anchored months from UTC dates, so nothing here is shared with what it checks.
 */
import type { SimulatedWindow } from '../../src/simulator/tier.ts';

/** One charge, and its settling once that happened. Orders number what happens, also within one millisecond. */
export interface Use {
  readonly atMs: number;
  readonly order: number;
  readonly chargedAmount: number;
  settled: { readonly atMs: number; readonly order: number; readonly amount: number } | null;
}

/** What is used of `limitAmount` at `nowMs`. Exact for whole milliseconds and amounts. */
export function usedByDefinition(
  window: SimulatedWindow,
  limitAmount: number,
  { uses, nowMs }: { readonly uses: readonly Use[]; readonly nowMs: number },
): number {
  if (window.kind === 'refill') return bucketUse(uses, { limitAmount, perMs: window.perMs, nowMs });
  const counted =
    window.kind === 'session'
      ? inOpenSession(uses, window.perMs, nowMs)
      : uses.filter((use) => sharesWindow(window, use.atMs, nowMs));
  return counted.reduce((sum, use) => sum + (use.settled?.amount ?? use.chargedAmount), 0);
}

/** The uses of the session that is open at `nowMs`: each opens one that no earlier session holds. */
function inOpenSession(uses: readonly Use[], perMs: number, nowMs: number): readonly Use[] {
  const openings: number[] = [];
  for (const { atMs } of uses.toSorted((left, right) => left.order - right.order)) {
    if (openings.every((openedAtMs) => openedAtMs + perMs <= atMs)) openings.push(atMs);
  }
  const openedAtMs = openings.at(-1);
  if (openedAtMs === undefined || openedAtMs + perMs <= nowMs) return [];
  return uses.filter(({ atMs }) => atMs >= openedAtMs);
}

function sharesWindow(
  window: Exclude<SimulatedWindow, { kind: 'refill' | 'session' }>,
  atMs: number,
  nowMs: number,
): boolean {
  switch (window.kind) {
    case 'rolling':
      return nowMs - atMs < window.perMs;
    case 'fixed':
      return periodIndex(atMs, window) === periodIndex(nowMs, window);
    case 'fixed-month':
      return anchoredMonthIndex(atMs, window.anchorAtMs) === anchoredMonthIndex(nowMs, window.anchorAtMs);
    case 'calendar':
      return dateIn(window, atMs) === dateIn(window, nowMs);
  }
}

function periodIndex(atMs: number, window: { readonly perMs: number; readonly anchorAtMs: number }): number {
  return Math.floor((atMs - window.anchorAtMs) / window.perMs);
}

/** A name for the day (2026-11-01), the week (by its Monday) or the month (2026-11) that holds the instant. */
export function dateIn(window: Extract<SimulatedWindow, { kind: 'calendar' }>, atMs: number): string {
  const date = new Intl.DateTimeFormat('en-CA', { timeZone: window.timeZone }).format(atMs);
  switch (window.unit) {
    case 'day':
      return date;
    case 'week':
      return mondayOf(date);
    case 'month':
      return date.slice(0, 7);
  }
}

function mondayOf(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

/** UTC only: how many boundaries of the anchor's day of month lie between the anchor and the instant. */
function anchoredMonthIndex(atMs: number, anchorAtMs: number): number {
  let months = -2_000;
  while (anchoredMonthStartMs(anchorAtMs, months + 1) <= atMs) months += 1;
  return months;
}

function anchoredMonthStartMs(anchorAtMs: number, months: number): number {
  const anchor = new Date(anchorAtMs);
  const first = new Date(Date.UTC(anchor.getUTCFullYear(), anchor.getUTCMonth() + months, 1));
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const startOfDayMs = first.getTime() + (Math.min(anchor.getUTCDate(), lastDay) - 1) * 86_400_000;
  return (
    startOfDayMs + (anchorAtMs - Date.UTC(anchor.getUTCFullYear(), anchor.getUTCMonth(), anchor.getUTCDate()))
  );
}

/** Replays every charge and every giving back, in whole numbers of amount x milliseconds. */
function bucketUse(
  uses: readonly Use[],
  {
    limitAmount,
    perMs,
    nowMs,
  }: { readonly limitAmount: number; readonly perMs: number; readonly nowMs: number },
): number {
  const changes = uses.flatMap(({ settled, ...charge }) => [
    { ...charge, amount: charge.chargedAmount },
    ...(settled === null ? [] : [{ ...settled, amount: settled.amount - charge.chargedAmount }]),
  ]);
  const full = BigInt(limitAmount) * BigInt(perMs);
  let level = full;
  let beforeMs = Math.min(nowMs, ...changes.map((change) => change.atMs));
  const refillUntil = (atMs: number) => {
    const refilled = level + BigInt(atMs - beforeMs) * BigInt(limitAmount);
    level = refilled > full ? full : refilled;
    beforeMs = atMs;
  };
  for (const change of changes.toSorted((left, right) => left.order - right.order)) {
    refillUntil(change.atMs);
    const changed = level - BigInt(change.amount) * BigInt(perMs);
    level = changed > full ? full : changed;
  }
  refillUntil(nowMs);
  return Number(full - level) / perMs;
}
