/** How much of a limit was used, by the provider's own log. */
import type { CallRecord } from '../../src/simulator/call-log.ts';
import type { SimulatedLimit, SimulatedWindow, UnitCost } from '../../src/simulator/tier.ts';
import { amountTaken } from './providers.ts';

interface Take {
  readonly atMs: number;
  readonly amount: number;
}

type TimedWindow = Extract<SimulatedWindow, { readonly perMs: number }>;

/**
 * The used part of what a limit allowed these calls, from 0 to 1: of windows of one length, and of answered calls in any order.
 *
 * - `fixed`: the mean use of a window, without the first and the last, which were not open for all of the time.
 * - `session`: the mean use of a session, without the last. What passes between two sessions is not the limit's.
 * - `rolling`, `refill`: calls that are one amount apart are one window apart if nothing is wasted, and later by what
 *   is. What the first two windows take goes while processes still start, and a bucket refills meanwhile.
 */
export const shareUsed = (
  calls: readonly CallRecord[],
  { metric, amount, window }: SimulatedLimit,
  unitCost?: UnitCost,
): number => {
  const takes = calls
    .map((call) => ({ atMs: call.arrivedAtMs, amount: amountTaken(metric, call, unitCost) }))
    .toSorted((left, right) => left.atMs - right.atMs);
  if (!('perMs' in window)) throw new Error(`Expected a window of one length, got ${window.kind}.`);
  switch (window.kind) {
    case 'fixed':
      return mean(usePerPeriod(takes, window).slice(1, -1)) / amount;
    case 'session':
      return mean(usePerSession(takes, window.perMs).slice(0, -1)) / amount;
    case 'rolling':
    case 'refill':
      return pace(takes, amount, window);
  }
};

const usePerPeriod = (
  takes: readonly Take[],
  { perMs, anchorAtMs }: { readonly perMs: number; readonly anchorAtMs: number },
): readonly number[] =>
  [...Map.groupBy(takes, ({ atMs }) => Math.floor((atMs - anchorAtMs) / perMs)).values()].map(sum);

const usePerSession = (takes: readonly Take[], perMs: number): readonly number[] => {
  const sessions: Take[][] = [];
  for (const take of takes) {
    const open = sessions.at(-1);
    const openedAtMs = open?.[0]?.atMs ?? Number.NEGATIVE_INFINITY;
    if (open === undefined || take.atMs >= openedAtMs + perMs) sessions.push([take]);
    else open.push(take);
  }
  return sessions.map(sum);
};

/**
 * For every call the longest run from it on that one amount holds, and how much later the first call after that came:
 * at least a window, by the limit's definition, so the share is never over 1 for a rolling window.
 */
const pace = (takes: readonly Take[], amount: number, { perMs }: TimedWindow): number => {
  const before = runningSums(takes);
  const settled = before.findIndex((taken) => taken >= amount * 2);
  let [takenInAll, passedMs, last] = [0, 0, settled];
  for (let first = settled; first < takes.length; first += 1) {
    const start = before[first] ?? 0;
    while ((before[last + 1] ?? Number.POSITIVE_INFINITY) - start <= amount) last += 1;
    const [from, until] = [takes[first], takes[last]];
    if (from === undefined || until === undefined) break;
    takenInAll += (before[last] ?? start) - start;
    passedMs += until.atMs - from.atMs;
  }
  return ((takenInAll / amount) * perMs) / passedMs;
};

/** What was taken before each call, and at last by all of them. */
const runningSums = (takes: readonly Take[]): readonly number[] => {
  const sums = [0];
  let taken = 0;
  for (const { amount } of takes) {
    taken += amount;
    sums.push(taken);
  }
  return sums;
};

const sum = (takes: readonly Take[]): number => takes.reduce((total, { amount }) => total + amount, 0);

const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
