/**
 * Quota arithmetic: whether every limit of a lane and its provider has room for one more call, and when it will. A
 * value with no I/O and no clock, for tests and simulated nights; the record does the same in SQL
 * (src/adapters/postgres/functions/quota.sql), and one property suite holds both to one reference model.
 */
import {
  type Meter,
  type MeteredLimit,
  advance,
  beginUse,
  confirmUse,
  holdUse,
  isOpenFor,
  loseUse,
  roomAtMs,
  sendUse,
  settleUse,
  shiftMeter,
  takes,
  used,
} from './meter.ts';
import type { Limit, TokenEstimate, TokenUsage, UnitCost } from '../model.ts';
import { THOUSANDTHS } from './unit-cost.ts';
import { marginMs, SHORT_WINDOW_MS, windowMs } from './window.ts';

/** The limits of a lane or of a provider; `concurrency` is `null` where calls under way are not bounded. */
export interface QuotaScope {
  /** Lane id or provider id. */
  readonly id: string;
  readonly limits: readonly Limit[];
  readonly concurrency: number | null;
  /** Of a lane. */
  readonly unitCost?: UnitCost;
}

/** How much of every limit of some lanes and providers is in use. */
export interface Quota {
  readonly meters: readonly Meter[];
  /** What lanes take of units, by lane id. */
  readonly unitCosts: ReadonlyMap<string, UnitCost>;
  /** The grant made last; 0 before the first. */
  readonly lastGrant: number;
}

/** Limits of which nothing is in use. */
export const emptyQuota = (scopes: readonly QuotaScope[]): Quota => ({
  meters: scopes.flatMap(({ id, limits, concurrency }) => [
    ...limits.map((limit) => emptyMeter(id, inThousandths(limit), marginMs(limit.window))),
    ...(concurrency === null ? [] : [emptyMeter(id, atOnce(concurrency), 0)]),
  ]),
  unitCosts: new Map(
    scopes.flatMap(({ id, unitCost }) => (unitCost === undefined ? [] : [[id, unitCost] as const])),
  ),
  lastGrant: 0,
});

/** Units are metered in thousandths. */
const inThousandths = (limit: Limit): Limit =>
  limit.metric === 'units' ? { ...limit, amount: limit.amount * THOUSANDTHS } : limit;

/** What comes of a {@link reserve}. Refused: `roomAtMs` is when to ask again, `null` if only an event can tell. */
export type Reservation =
  | { readonly kind: 'granted'; readonly quota: Quota; readonly grant: number }
  | { readonly kind: 'refused'; readonly roomAtMs: number | null };

/**
 * Takes quota for one call from every limit of these scopes, or from none. It is held in full until {@link begin}
 * or {@link settle}.
 *
 * `roomAtMs` of a refusal never comes too late, and there is no room before it; asking then may be refused again
 * with a later one.
 */
export const reserve = (
  quota: Quota,
  scopes: readonly string[],
  need: TokenEstimate,
  nowMs: number,
): Reservation => {
  const meters = quota.meters.map((meter) => advance(meter, nowMs));
  const charged = meters.filter((meter) => scopes.includes(meter.scope));
  const unitCost = scopes.map((scope) => quota.unitCosts.get(scope)).find((cost) => cost !== undefined);
  const taken = (meter: Meter): number => takes(meter.limit.metric, need, unitCost);
  const rooms = charged.map((meter) => roomAtMs(meter, taken(meter), nowMs));
  const freeAtMs = latestMs(rooms, nowMs);
  if (freeAtMs !== nowMs) return { kind: 'refused', roomAtMs: freeAtMs };
  const grant = quota.lastGrant + 1;
  const hold = (meter: Meter): Meter => holdUse(meter, grant, taken(meter), unitCost);
  return {
    kind: 'granted',
    quota: {
      ...quota,
      meters: meters.map((meter) => (charged.includes(meter) ? hold(meter) : meter)),
      lastGrant: grant,
    },
    grant,
  };
};

/**
 * The call is made at `nowMs`: it counts from now on, whatever becomes of it. `null` if it may not be made any more
 * (the session it was granted for is about to end): give it back with {@link settle}.
 */
export const begin = (quota: Quota, grant: number, nowMs: number): Quota | null => {
  const mayBegin = quota.meters.every((meter) => !meter.uses.has(grant) || isOpenFor(meter, nowMs));
  return mayBegin ? { ...quota, meters: quota.meters.map((meter) => beginUse(meter, grant, nowMs)) } : null;
};

/**
 * What a call really took.
 *
 * - `usage`: what the provider reported.
 * - `estimate`: what was reserved, as the provider answered and did not say.
 * - `prompt`: the provider failed at it and said so, so there was no answer. In short windows it stays counted all the same: some
 *   providers count what an answer may be before there is one, and to be wrong about that costs a refusal a minute, not one a day.
 * - `request`: it was counted as a request and took no tokens.
 * - `release`: the provider never saw it: also when the grant is given back without a call.
 */
export type Settlement =
  | { readonly kind: 'usage'; readonly usage: TokenUsage }
  | { readonly kind: 'prompt'; readonly promptTokens: number }
  | { readonly kind: 'estimate' | 'request' | 'release' };

/**
 * The call is over at `nowMs`. It may be settled again, later and better; what has ended by then stays.
 *
 * @param sentAtMs When it was sent, if that was later than it began.
 */
export const settle = (
  quota: Quota,
  grant: number,
  settlement: Settlement,
  nowMs: number,
  sentAtMs = Number.NEGATIVE_INFINITY,
): Quota => ({
  ...quota,
  meters: quota.meters.map((meter) => {
    const advanced = sendUse(advance(meter, nowMs), grant, sentAtMs);
    const isAnswered = settlement.kind === 'usage' || settlement.kind === 'estimate';
    const confirmed = isAnswered ? confirmUse(advanced, grant) : advanced;
    return settleUse(confirmed, grant, (use) => settledAmount(meter.limit, use, settlement), nowMs);
  }),
});

/** The process that made the call died: it stays counted at the estimate, for its whole window. */
export const lose = (quota: Quota, grant: number, nowMs: number): Quota => ({
  ...quota,
  meters: quota.meters.map((meter) => loseUse(advance(meter, nowMs), grant, nowMs)),
});

/**
 * The clock was set by so many milliseconds (negative: back): what lasts for a time, rather than until an instant of the
 * calendar, moves with it.
 */
export const allowForStep = (quota: Quota, byMs: number): Quota => ({
  ...quota,
  meters: quota.meters.map((meter) => shiftMeter(meter, byMs)),
});

/**
 * Whether a second call may go first without keeping the one that waits until `untilMs` for any longer: whether both fit
 * then, by what is known now. (EASY backfilling: Lifka, 1995.)
 */
export const fitsBeside = (
  quota: Quota,
  scopes: readonly string[],
  waiting: TokenEstimate,
  second: TokenEstimate,
  untilMs: number,
): boolean => {
  const unitCost = scopes.map((scope) => quota.unitCosts.get(scope)).find((cost) => cost !== undefined);
  return quota.meters
    .filter(({ scope, limit }) => scopes.includes(scope) && limit.metric !== 'calls')
    .every((meter) => {
      const { metric, amount } = meter.limit;
      const both = takes(metric, waiting, unitCost) + takes(metric, second, unitCost);
      return used(advance(meter, untilMs)) + both <= amount;
    });
};

/** How much of each limit counts at `nowMs`, in the order of {@link emptyQuota}. */
export const inUse = (
  quota: Quota,
  nowMs: number,
): readonly { readonly scope: string; readonly limit: MeteredLimit; readonly amount: number }[] =>
  quota.meters.map((meter) => ({
    scope: meter.scope,
    limit: meter.limit,
    amount: used(advance(meter, nowMs)),
  }));

const emptyMeter = (scope: string, limit: MeteredLimit, margin: number): Meter => ({
  scope,
  limit,
  marginMs: margin,
  uses: new Map(),
  debt: 0,
  drainedAtMs: 0,
  session: null,
});

const atOnce = (amount: number): MeteredLimit => ({
  metric: 'calls',
  amount,
  window: { kind: 'concurrency' },
});

const settledAmount = (
  { metric, window }: MeteredLimit,
  held: { readonly amount: number; readonly unitCost: UnitCost | undefined },
  settlement: Settlement,
): number => {
  switch (settlement.kind) {
    case 'usage': {
      const { promptTokens, completionTokens } = settlement.usage;
      return takes(metric, { promptTokens, outputTokens: completionTokens }, held.unitCost);
    }
    case 'prompt':
      return window.kind !== 'concurrency' && windowMs(window) > SHORT_WINDOW_MS
        ? takes(metric, { promptTokens: settlement.promptTokens, outputTokens: 0 }, held.unitCost)
        : held.amount;
    case 'estimate':
      return held.amount;
    case 'request':
      return metric === 'requests' ? held.amount : 0;
    case 'release':
      return 0;
  }
};

const latestMs = (instants: readonly (number | null)[], nowMs: number): number | null =>
  instants.reduce(
    (latest, atMs) => (latest === null || atMs === null ? null : Math.max(latest, atMs)),
    nowMs,
  );
