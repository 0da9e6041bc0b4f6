/**
 * The limits of a tier at work: a meter per limit, and the one question put to all of them at once.
 * A call is admitted only if every meter has room for what it may use at most; afterwards the charge is settled
 * to what it did use (facts/providers.md section 3, pre-charging: Groq's and Cerebras' way).
 */
import type { Charge, Count } from './count.ts';
import { countFor } from './count-for.ts';
import type { SimulatedLimit, SimulatedMetric } from '../tier.ts';

/** What one call takes. Before the answer, `outputTokens` is the most it may produce. */
export interface CallSize {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** One limit, its count, and what is worth knowing about it afterwards. */
export interface Meter {
  readonly limit: SimulatedLimit;
  readonly count: Count;
  /** The highest use right after an admission, up-front charges of calls under way included: never over the amount. */
  peakUsed: number;
  /** Everything ever counted, settled where it is settled. */
  totalUsed: number;
  /** Calls refused for this limit. */
  rejected: number;
}

/** A limit that lacked room for a call. */
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
  const count = countFor(limit.window, limit.amount);
  return { limit, count, peakUsed: 0, totalUsed: 0, rejected: 0 };
}

/** What a call of this size takes from a limit of this metric. */
export function amountOf(metric: SimulatedMetric, size: CallSize): number {
  switch (metric) {
    case 'requests':
      return 1;
    case 'tokens':
      return size.promptTokens + size.outputTokens;
    case 'inputTokens':
      return size.promptTokens;
    case 'outputTokens':
      return size.outputTokens;
  }
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
    const actual = used === null ? 0 : amountOf(meter.limit.metric, used);
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
  return meter.count.waitMs(amountOf(meter.limit.metric, size), nowMs) === 0;
}

function exceededBy(meter: Meter, size: CallSize, nowMs: number): Exceeded {
  const requested = amountOf(meter.limit.metric, size);
  const used = meter.count.usedAt(nowMs);
  return { limit: meter.limit, used, requested, waitMs: meter.count.waitMs(requested, nowMs) };
}

function chargeAll(meters: readonly Meter[], size: CallSize, nowMs: number): Ticket {
  const charges = meters.map((meter) => {
    const charge = meter.count.take(amountOf(meter.limit.metric, size), nowMs);
    meter.peakUsed = Math.max(meter.peakUsed, meter.count.usedAt(nowMs));
    meter.totalUsed += charge.amount;
    return charge;
  });
  return { meters, charges };
}
