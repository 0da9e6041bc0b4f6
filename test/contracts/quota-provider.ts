/**
 * What a provider enforces, written as plainly as possible and without a line of src/: it sees calls arrive somewhere
 * within the margin, counts each against one limit, and refuses what would be too much. Every call that Nightshift
 * begins must find room here.
 */
import type { Limit, TokenEstimate, UnitCost } from '../../src/core/model.ts';

/** A call as it really happened. */
export interface ProvidersCall {
  readonly begunAtMs: number;
  /** When we knew that it was over; `null`: never. */
  readonly endedAtMs: number | null;
  /** Where in the margin it arrives: 0 is the earliest and 1 the latest instant allowed. */
  readonly arrival01: number;
  readonly estimate: TokenEstimate;
  /** Never more than the estimate. */
  readonly actual: TokenEstimate;
  /** What the lane takes of the provider's units. */
  readonly unitCost: UnitCost;
}

/** Whether tokens are charged as estimated and corrected when the call ends, or as they turn out, at once. */
export type Charging = 'estimate-first' | 'actual-at-once';

interface Happening {
  /** When it happened. */
  readonly atMs: number;
  /** What the provider's clock showed. */
  readonly clockMs: number;
  readonly call: number;
  readonly charge: number;
}

/** The first call that the provider refuses for this limit, or `null`. Calls are in the order they began. */
export const findRefusal = (
  limit: Limit,
  calls: readonly ProvidersCall[],
  charging: Charging,
): string | null => {
  const counter = counterFor(limit);
  for (const { clockMs, call, charge } of happenings(limit, calls, charging)) {
    if (counter.charge(clockMs, call, charge) <= limit.amount + 1e-6) continue;
    return `call ${call} at ${clockMs} exceeds ${JSON.stringify(limit)}, ${charging}`;
  }
  return null;
};

/** Arrivals and corrections in the order of time; what falls on one instant stays in the order of the calls. */
const happenings = (limit: Limit, calls: readonly ProvidersCall[], charging: Charging): Happening[] =>
  calls
    .flatMap((call, index): Happening[] => {
      const estimate = cost(limit, call.estimate, call.unitCost);
      const actual = cost(limit, call.actual, call.unitCost);
      const arrival = { ...arrivalOf(limit, call), call: index, charge: estimate };
      if (charging === 'actual-at-once') return [{ ...arrival, charge: actual }];
      if (call.endedAtMs === null) return [arrival];
      const end = { atMs: call.endedAtMs, clockMs: call.endedAtMs, call: index, charge: actual - estimate };
      return [arrival, end];
    })
    .toSorted((a, b) => a.atMs - b.atMs || a.call - b.call);

const cost = (
  { metric }: Limit,
  { promptTokens, outputTokens }: TokenEstimate,
  { input, output }: UnitCost,
): number =>
  ({
    requests: 1,
    tokens: promptTokens + outputTokens,
    inputTokens: promptTokens,
    outputTokens,
    units: (promptTokens * input + outputTokens * output) / 1_000,
  })[metric];

/**
 * A call may be on its way for the whole margin. Where windows have boundaries, the provider's clock may differ by as
 * much, too, and move the call across one either way.
 */
const arrivalOf = (
  { window }: Limit,
  { begunAtMs, endedAtMs, arrival01 }: ProvidersCall,
): { readonly atMs: number; readonly clockMs: number } => {
  const marginMs = 'perMs' in window ? Math.min(2_000, Math.ceil(window.perMs / 50)) : 2_000;
  const atMs = Math.min(begunAtMs + Math.round(arrival01 * marginMs), endedAtMs ?? Number.POSITIVE_INFINITY);
  if (window.kind === 'rolling' || window.kind === 'refill' || window.kind === 'session')
    return { atMs, clockMs: atMs };
  return { atMs, clockMs: begunAtMs + Math.round((2 * arrival01 - 1) * marginMs) };
};

/** Charges a call, or corrects its charge, and says how much is then in use. */
interface Counter {
  charge(atMs: number, call: number, amount: number): number;
}

const counterFor = ({ window, amount }: Limit): Counter => {
  switch (window.kind) {
    case 'rolling':
      return rollingCounter(window.perMs);
    case 'refill':
      return bucketCounter(amount, window.perMs);
    case 'fixed':
      return periodCounter((atMs) => String(Math.floor((atMs - window.anchorAtMs) / window.perMs)));
    case 'fixed-month':
      return periodCounter((atMs) => anchoredMonth(atMs, window.anchorAtMs, window.timeZone));
    case 'calendar':
      return periodCounter((atMs) => calendarPeriod(localTime(atMs, window.timeZone), window.unit));
    case 'session':
      return periodCounter(sessionsOf(window.perMs));
  }
};

const rollingCounter = (perMs: number): Counter => {
  const charges: { atMs: number; call: number; amount: number }[] = [];
  return {
    charge(atMs, call, amount) {
      const known = charges.find((charge) => charge.call === call);
      if (known === undefined) charges.push({ atMs, call, amount });
      else known.amount += amount;
      return charges
        .filter((charge) => charge.atMs > atMs - perMs)
        .reduce((sum, charge) => sum + charge.amount, 0);
    },
  };
};

const bucketCounter = (capacity: number, perMs: number): Counter => {
  let level = capacity;
  let filledAtMs = Number.NEGATIVE_INFINITY;
  return {
    charge(atMs, _call, amount) {
      level = Math.min(capacity, level + ((atMs - filledAtMs) * capacity) / perMs);
      filledAtMs = atMs;
      level = Math.min(capacity, level - amount);
      return capacity - level;
    },
  };
};

/** A correction belongs to the period in which the call arrived. */
const periodCounter = (periodOf: (atMs: number) => string): Counter => {
  const arrivedIn = new Map<number, string>();
  const sums = new Map<string, number>();
  return {
    charge(atMs, call, amount) {
      const period = arrivedIn.get(call) ?? periodOf(atMs);
      arrivedIn.set(call, period);
      const sum = (sums.get(period) ?? 0) + amount;
      sums.set(period, sum);
      return sum;
    },
  };
};

/** Sessions by the order in which their first calls arrive. */
const sessionsOf = (perMs: number): ((atMs: number) => string) => {
  let opensAtMs = Number.NEGATIVE_INFINITY;
  return (atMs) => {
    if (atMs >= opensAtMs + perMs) opensAtMs = atMs;
    return String(opensAtMs);
  };
};

/** A day, the Monday of a week, or a month. */
const calendarPeriod = (local: string, unit: 'day' | 'week' | 'month'): string => {
  const day = local.slice(0, '2026-01-31'.length);
  if (unit === 'month') return day.slice(0, '2026-01'.length);
  if (unit === 'day') return day;
  const midnight = new Date(`${day}T00:00Z`);
  return String(midnight.getTime() - ((midnight.getUTCDay() + 6) % 7) * 86_400_000);
};

/** The month that began on the anchor's day and time, or on the last day of a month that is too short for it. */
const anchoredMonth = (atMs: number, anchorAtMs: number, timeZone: string): string => {
  const local = localTime(atMs, timeZone);
  const anchor = localTime(anchorAtMs, timeZone);
  const [year, month] = [Number(local.slice(0, 4)), Number(local.slice(5, 7))];
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const firstDay = String(Math.min(lastDay, Number(anchor.slice(8, 10)))).padStart(2, '0');
  const begins = `${local.slice(0, 8)}${firstDay}${anchor.slice(10)}`;
  return String(year * 12 + month - (local < begins ? 1 : 0));
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-01-31 23:59:59.999`, as a wall clock there shows it. */
const localTime = (atMs: number, timeZone: string): string => {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(timeZone, format);
  return `${format.format(atMs)}.${String(((atMs % 1000) + 1000) % 1000).padStart(3, '0')}`;
};
