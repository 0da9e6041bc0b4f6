/**
 * The limits of a tier at work: a meter per limit, and the one question put to all of them at once.
 * A call is admitted only if every meter has room for what it may use at most; afterwards the charge is settled
 * to what it did use (facts/providers.md section 3, pre-charging: Groq's and Cerebras' way).
 */
import type { Charge, Count } from './count.ts';
import { countFor } from './count-for.ts';
import type { SimulatedLimit, SimulatedMetric, UnitCost } from '../tier.ts';

/** What one call takes. Before the answer, `outputTokens` is the most it may produce. */
export interface CallSize {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Of the called model; without one a call takes no units. */
  readonly unitCost?: UnitCost;
}

/**
 * One limit, its count, and what is worth knowing about it afterwards. Everything counted is in parts of the metric
 * ({@link partsOf}), of which many small calls add up exactly.
 */
export interface Meter {
  /** Its amount may be changed while it serves: {@link changeAmount}. */
  limit: SimulatedLimit;
  readonly count: Count;
  /** The highest use right after an admission, up-front charges of calls under way included: never over the amount. */
  peakUsed: number;
  /** Everything ever counted, settled where it is settled. */
  totalUsed: number;
  /** Calls refused for this limit. */
  rejected: number;
}

/** A limit that lacked room for a call; of units, `used` and `requested` may have a fraction. */
export interface Exceeded {
  readonly limit: SimulatedLimit;
  readonly used: number;
  readonly requested: number;
  /** Until the call would fit if nothing else happened. */
  readonly waitMs: number;
}

/** What an admitted call has charged, one charge per meter. */
export interface Ticket {
  readonly meters: readonly Meter[];
  readonly charges: readonly Charge[];
}

/** Refusals name every limit without room, the longest wait first. */
export type Admission =
  | { readonly kind: 'admitted'; readonly ticket: Ticket }
  | { readonly kind: 'refused'; readonly exceeded: readonly [Exceeded, ...Exceeded[]] };

/** A meter with nothing used. */
export function meterFor(limit: SimulatedLimit): Meter {
  const count = countFor(limit.window, limit.amount * partsOf(limit.metric));
  return { limit, count, peakUsed: 0, totalUsed: 0, rejected: 0 };
}

/** Allows another amount from now on; what is used stays used. */
export function changeAmount(meter: Meter, amount: number, nowMs: number): void {
  meter.limit = { ...meter.limit, amount };
  meter.count.resize(amount * partsOf(meter.limit.metric), nowMs);
}

/** What is used now, in the metric's own amounts; of units, with their fraction. */
export function usedNow({ limit, count }: Meter, nowMs: number): number {
  return count.usedAt(nowMs) / partsOf(limit.metric);
}

/** What a call of this size takes from a limit of this metric; of units, with their fraction. */
export function amountOf(metric: SimulatedMetric, size: CallSize): number {
  return partsTaken(metric, size) / partsOf(metric);
}

const THOUSANDTHS = 1_000;

/** How many parts one of the metric is counted in: units in thousandths, everything else whole. */
export function partsOf(metric: SimulatedMetric): number {
  return metric === 'units' ? THOUSANDTHS : 1;
}

/** What a call takes of the count: units in thousandths, the last of them whole. */
function partsTaken(metric: SimulatedMetric, size: CallSize): number {
  switch (metric) {
    case 'requests':
      return 1;
    case 'tokens':
      return size.promptTokens + size.outputTokens;
    case 'inputTokens':
      return size.promptTokens;
    case 'outputTokens':
      return size.outputTokens;
    case 'units':
      return thousandthsTaken(size);
  }
}

/** Rounded up, after what binary fractions add to a cost with three decimals has been taken off. */
function thousandthsTaken({ promptTokens, outputTokens, unitCost }: CallSize): number {
  if (unitCost === undefined) return 0;
  const exact = promptTokens * unitCost.input + outputTokens * unitCost.output;
  return Math.ceil(Math.round(exact * 1_000) / 1_000);
}

/** The first limit that could not hold a call of this size even when nothing is used, or null. */
export function neverFits(meters: readonly Meter[], size: CallSize): SimulatedLimit | null {
  const tooSmall = meters.find(({ limit }) => amountOf(limit.metric, size) > limit.amount);
  return tooSmall?.limit ?? null;
}

/** Charges every meter or none. Exact: no tolerance. A refusal is noted at the limit with the longest wait. */
export function admit(meters: readonly Meter[], size: CallSize, nowMs: number): Admission {
  const [worst, ...others] = meters
    .filter((meter) => !hasRoom(meter, size, nowMs))
    .map((meter) => ({ meter, exceeded: exceededBy(meter, size, nowMs) }))
    .toSorted((left, right) => right.exceeded.waitMs - left.exceeded.waitMs);
  if (worst === undefined) return { kind: 'admitted', ticket: chargeAll(meters, size, nowMs) };
  worst.meter.rejected += 1;
  return { kind: 'refused', exceeded: [worst.exceeded, ...others.map(({ exceeded }) => exceeded)] };
}

/** Replaces the up-front charges by what was used; `null` takes the call back as if it had never been. */
export function settle(ticket: Ticket, used: CallSize | null, nowMs: number): void {
  for (const [index, meter] of ticket.meters.entries()) {
    const charge = ticket.charges[index];
    if (charge === undefined) continue;
    const { metric } = meter.limit;
    const actual = used === null ? 0 : partsTaken(metric, used);
    meter.totalUsed += actual - charge.amount;
    meter.count.settle(charge, actual, nowMs);
  }
}

/** Counts a refused call as a request, where a tier does so. */
export function countRejected(meters: readonly Meter[], nowMs: number): void {
  for (const meter of meters) {
    if (meter.limit.metric !== 'requests') continue;
    meter.count.take(1, nowMs);
    meter.totalUsed += 1;
  }
}

function hasRoom(meter: Meter, size: CallSize, nowMs: number): boolean {
  return meter.count.waitMs(partsTaken(meter.limit.metric, size), nowMs) === 0;
}

function exceededBy(meter: Meter, size: CallSize, nowMs: number): Exceeded {
  const { limit, count } = meter;
  const waitMs = count.waitMs(partsTaken(limit.metric, size), nowMs);
  return { limit, used: usedNow(meter, nowMs), requested: amountOf(limit.metric, size), waitMs };
}

function chargeAll(meters: readonly Meter[], size: CallSize, nowMs: number): Ticket {
  const charges = meters.map((meter) => {
    const charge = meter.count.take(partsTaken(meter.limit.metric, size), nowMs);
    meter.peakUsed = Math.max(meter.peakUsed, meter.count.usedAt(nowMs));
    meter.totalUsed += charge.amount;
    return charge;
  });
  return { meters, charges };
}
