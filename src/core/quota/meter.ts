/**
 * What counts against one limit. A grant puts a use on it. The use has no end while nobody can know when the provider
 * will count the call: it is held until the call begins (tokens on a refilling limit: until it is settled). How it
 * ends depends on the window; the comment at the top of the record's functions/quota.sql gives the reasons.
 */
import type { Limit, Metric, TokenEstimate } from '../model.ts';
import { windowEndMs } from './window.ts';

/** Debt is a fraction; this much of a token is not worth waiting for. */
const ROUNDING = 1e-9;

/** A limit, or a bound on calls under way at once. */
export type MeteredLimit =
  | Limit
  | {
      readonly metric: 'calls';
      readonly amount: number;
      readonly window: { readonly kind: 'concurrency' };
    };

/** What one grant takes of a limit. `endsAtMs` is `null` while it is held. */
interface Use {
  readonly amount: number;
  readonly begunAtMs: number | null;
  readonly endsAtMs: number | null;
}

/** One limit of a lane or a provider with its uses, by grant. */
export interface Meter {
  readonly scope: string;
  readonly limit: MeteredLimit;
  /** How far apart we and the provider may be about when a call was made. */
  readonly marginMs: number;
  readonly uses: ReadonlyMap<number, Use>;
  /** Refilling limits: what has ended and not drained yet, as of `drainedAtMs`. */
  readonly debt: number;
  readonly drainedAtMs: number;
}

/** What a call of this size takes of a metric. */
export const takes = (metric: Metric | 'calls', need: TokenEstimate): number => {
  switch (metric) {
    case 'tokens':
      return need.promptTokens + need.outputTokens;
    case 'inputTokens':
      return need.promptTokens;
    case 'outputTokens':
      return need.outputTokens;
    case 'requests':
    case 'calls':
      return 1;
  }
};

/** What is in use, uses and debt together. The meter must have been advanced. */
export const used = (meter: Meter): number => held(meter) + meter.debt;

const held = ({ uses }: Meter): number => uses.values().reduce((sum, use) => sum + use.amount, 0);

/** Brings the meter to now: uses that have ended are forgotten, or become debt, which drains at amount / perMs. */
export const advance = (meter: Meter, nowMs: number): Meter => {
  const ended = endings(meter).filter((use) => use.endsAtMs <= nowMs);
  const rest = new Map(meter.uses);
  for (const { grant } of ended) rest.delete(grant);
  const advanced = { ...meter, uses: rest };
  if (meter.limit.window.kind !== 'refill') return advanced;
  const indebted = ended.reduce((sum: Meter, use) => {
    const drained = drain(sum, use.endsAtMs);
    return { ...drained, debt: drained.debt + use.amount };
  }, advanced);
  return drain(indebted, nowMs);
};

/** Puts a grant's use on the meter: held, until {@link beginUse}. */
export const holdUse = (meter: Meter, grant: number, amount: number): Meter =>
  putUse(meter, grant, { amount, begunAtMs: null, endsAtMs: null });

/** The call begins: its use gets the end that its window gives it, if that can be known. */
export const beginUse = (meter: Meter, grant: number, nowMs: number): Meter => {
  const use = meter.uses.get(grant);
  if (use === undefined) return meter;
  return putUse(meter, grant, {
    ...use,
    begunAtMs: nowMs,
    endsAtMs: endOfUseMs(meter, nowMs + meter.marginMs),
  });
};

/** Nobody will ever know what became of the call: it stays counted as it was held, and as late as it may have been. */
export const loseUse = (meter: Meter, grant: number, nowMs: number): Meter => {
  const use = meter.uses.get(grant);
  if (use === undefined) return meter;
  if (meter.limit.window.kind === 'concurrency') return dropUse(meter, grant);
  const countedByMs = (use.begunAtMs ?? nowMs) + meter.marginMs;
  return putUse(meter, grant, { ...use, endsAtMs: use.endsAtMs ?? Math.max(countedByMs, nowMs) });
};

/**
 * The call is over and took `amount` (`null`: what was held). The provider has counted it by now, so rolling and
 * refilling windows need not allow for more.
 */
export const settleUse = (meter: Meter, grant: number, amount: number | null, nowMs: number): Meter => {
  const use = meter.uses.get(grant);
  if (use === undefined) return meter;
  if (amount === 0 || meter.limit.window.kind === 'concurrency') return dropUse(meter, grant);
  return putUse(meter, grant, {
    ...use,
    amount: amount ?? use.amount,
    endsAtMs: endOfFinishedUseMs(meter, use, nowMs),
  });
};

/**
 * The earliest instant at which there may be room for `amount` more, given what is known now: `nowMs` if there is
 * room, `null` if that hangs on a call that has not begun or finished, or can never be. The meter must have been
 * advanced.
 */
export const roomAtMs = (meter: Meter, amount: number, nowMs: number): number | null => {
  const { window, amount: limit } = meter.limit;
  const surplus = used(meter) + amount - limit - ROUNDING;
  if (surplus <= 0) return nowMs;
  if (amount > limit) return null;
  if (window.kind !== 'refill') return whenFreedMs(meter, surplus);
  if (held(meter) + amount <= limit) return nowMs + Math.ceil((surplus * window.perMs) / limit);
  return endings(meter)[0]?.endsAtMs ?? null;
};

const whenFreedMs = (meter: Meter, surplus: number): number | null => {
  let missing = surplus;
  for (const { amount, endsAtMs } of endings(meter)) {
    missing -= amount;
    if (missing <= 0) return endsAtMs;
  }
  return null;
};

/** When a use ends whose call the provider counts by that instant; `null` where that is not known yet. */
const endOfUseMs = ({ limit: { metric, window }, marginMs }: Meter, countedByMs: number): number | null => {
  switch (window.kind) {
    case 'rolling':
      return countedByMs + window.perMs;
    case 'refill':
      return metric === 'requests' ? countedByMs : null;
    case 'fixed':
    case 'fixed-month':
    case 'calendar':
      return windowEndMs(window, countedByMs) + marginMs;
    case 'concurrency':
      return null;
  }
};

/** What is left of the margin when a call is known to be over: clocks differ a little. */
const FINISHED_MARGIN_RATIO = 1 / 16;

const endOfFinishedUseMs = (meter: Meter, { begunAtMs, endsAtMs }: Use, nowMs: number): number | null => {
  const { window } = meter.limit;
  if (window.kind !== 'rolling' && window.kind !== 'refill') return endsAtMs;
  const countedByMs = nowMs + 1 + Math.ceil(meter.marginMs * FINISHED_MARGIN_RATIO);
  const knownMs = endsAtMs ?? (begunAtMs ?? nowMs) + meter.marginMs;
  return Math.max(nowMs, Math.min(knownMs, endOfUseMs(meter, countedByMs) ?? countedByMs));
};

const drain = (meter: Meter, untilMs: number): Meter => {
  if (meter.limit.window.kind !== 'refill' || untilMs <= meter.drainedAtMs) return meter;
  const drained = ((untilMs - meter.drainedAtMs) * meter.limit.amount) / meter.limit.window.perMs;
  return { ...meter, debt: Math.max(0, meter.debt - drained), drainedAtMs: untilMs };
};

/** The uses whose end is known, the first to end first. */
const endings = ({ uses }: Meter) =>
  [...uses]
    .flatMap(([grant, { amount, endsAtMs }]) => (endsAtMs === null ? [] : [{ grant, amount, endsAtMs }]))
    .toSorted((a, b) => a.endsAtMs - b.endsAtMs);

const putUse = (meter: Meter, grant: number, use: Use): Meter => ({
  ...meter,
  uses: new Map(meter.uses).set(grant, use),
});

const dropUse = (meter: Meter, grant: number): Meter => {
  const uses = new Map(meter.uses);
  uses.delete(grant);
  return { ...meter, uses };
};
