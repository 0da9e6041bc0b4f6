/**
 * What counts against one limit. A grant puts a use on it. The use has no end while nobody can know when the provider
 * will count the call: it is held until the call begins (tokens on a refilling limit: until it is settled). How it
 * ends depends on the window; the comment at the top of the record's functions/quota.sql gives the reasons.
 */
import type { Limit, Metric, TokenEstimate, UnitCost } from '../model.ts';
import { mayBegin, openedBy, type Session, surelyIncludes } from './session.ts';
import { thousandthsOf } from './unit-cost.ts';
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
  /** At what the lane takes units. */
  readonly unitCost: UnitCost | undefined;
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
  /** Limits on sessions: the one that is open; `null` where none is. */
  readonly session: Session | null;
}

/** What a call of this size takes of a metric; of units in thousandths. */
export const takes = (
  metric: Metric | 'calls',
  need: TokenEstimate,
  unitCost: UnitCost | undefined,
): number => {
  switch (metric) {
    case 'tokens':
      return need.promptTokens + need.outputTokens;
    case 'inputTokens':
      return need.promptTokens;
    case 'outputTokens':
      return need.outputTokens;
    case 'units':
      return thousandthsOf(unitCost, need);
    case 'requests':
    case 'calls':
      return 1;
  }
};

/** What is in use, uses and debt together. The meter must have been advanced. */
export const used = (meter: Meter): number => held(meter) + meter.debt;

const held = ({ uses }: Meter): number => uses.values().reduce((sum, use) => sum + use.amount, 0);

/** What is held by calls that have not begun. */
const endless = ({ uses }: Meter): number =>
  uses.values().reduce((sum, use) => sum + (use.endsAtMs === null ? use.amount : 0), 0);

/** Brings the meter to now: uses that have ended are forgotten, or become debt, which drains at amount / perMs. */
export const advance = (meter: Meter, nowMs: number): Meter => {
  const ended = endings(meter, nowMs);
  const advanced = { ...meter, uses: without(meter.uses, ended), session: openSession(meter, nowMs) };
  if (meter.limit.window.kind !== 'refill') return advanced;
  const indebted = ended.reduce((sum: Meter, use) => {
    const drained = drain(sum, use.endsAtMs);
    return { ...drained, debt: drained.debt + use.amount };
  }, advanced);
  return drain(indebted, nowMs);
};

/** Puts a grant's use on the meter: held, until {@link beginUse}. */
export const holdUse = (meter: Meter, grant: number, amount: number, unitCost: UnitCost | undefined): Meter =>
  putUse(meter, grant, { amount, unitCost, begunAtMs: null, endsAtMs: null });

/** Whether a call may begin now: not where nobody can tell which session it would be counted in. */
export const isOpenFor = (meter: Meter, nowMs: number): boolean => {
  const { window } = meter.limit;
  const session = openSession(meter, nowMs);
  return (
    window.kind !== 'session' || session === null || mayBegin(session, window.perMs, meter.marginMs, nowMs)
  );
};

const openSession = ({ session }: Meter, nowMs: number): Session | null =>
  session !== null && session.untilMs <= nowMs ? null : session;

/** The call begins: its use gets the end that its window gives it, if that can be known. */
export const beginUse = (meter: Meter, grant: number, nowMs: number): Meter => {
  const use = meter.uses.get(grant);
  if (use === undefined) return meter;
  if (meter.limit.window.kind === 'session') return beginInSession(meter, grant, use, nowMs);
  return putUse(meter, grant, {
    ...use,
    begunAtMs: nowMs,
    endsAtMs: endOfUseMs(meter, arrivesByMs(meter, nowMs)),
  });
};

/**
 * A bucket refills from when it is first drawn from: how late that call was stays as long as the bucket is never full again,
 * whereas any later one is made up for by the next. And the first calls of a process are its latest.
 */
const MARGINS_OF_A_FULL_BUCKET = 4;

const arrivesByMs = (meter: Meter, begunAtMs: number): number => {
  const isFull = meter.limit.window.kind === 'refill' && drain(meter, begunAtMs).debt === 0;
  return begunAtMs + meter.marginMs * (isFull ? MARGINS_OF_A_FULL_BUCKET : 1);
};

const beginInSession = (meter: Meter, grant: number, use: Use, nowMs: number): Meter => {
  const { window } = meter.limit;
  if (window.kind !== 'session') return meter;
  const lastsUntilMs = nowMs + meter.marginMs + window.perMs;
  const session = openedBy(openSession(meter, nowMs), nowMs, lastsUntilMs);
  const endsAtMs = session.isSure ? Math.min(lastsUntilMs, session.untilMs) : lastsUntilMs;
  return { ...putUse(meter, grant, { ...use, begunAtMs: nowMs, endsAtMs }), session };
};

/** The call was sent later than it began, and counts from then. */
export const sendUse = (meter: Meter, grant: number, sentAtMs: number): Meter => {
  const use = meter.uses.get(grant);
  if (use === undefined || use.begunAtMs === null || sentAtMs <= use.begunAtMs) return meter;
  return putUse(meter, grant, { ...use, begunAtMs: sentAtMs });
};

/** An answer shows that the call was counted, and so that the session did not begin after it. */
export const confirmUse = (meter: Meter, grant: number): Meter => {
  const { session, limit, marginMs } = meter;
  const begunAtMs = meter.uses.get(grant)?.begunAtMs ?? null;
  if (limit.window.kind !== 'session' || session === null || begunAtMs === null) return meter;
  if (begunAtMs < session.fromMs) return meter;
  const surer = surelyIncludes(session, begunAtMs + marginMs + limit.window.perMs);
  const uses = [...meter.uses].map(([id, use]) => {
    const endsAtMs = use.endsAtMs === null ? null : Math.min(use.endsAtMs, surer.untilMs);
    return [id, { ...use, endsAtMs }] as const;
  });
  return { ...meter, session: surer, uses: new Map(uses) };
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
 * The call is over and took what `amountOf` makes of what was held. The provider has counted it by now, so rolling and
 * refilling windows need not allow for more.
 */
export const settleUse = (
  meter: Meter,
  grant: number,
  amountOf: (use: { readonly amount: number; readonly unitCost: UnitCost | undefined }) => number,
  nowMs: number,
): Meter => {
  const use = meter.uses.get(grant);
  if (use === undefined) return meter;
  const amount = amountOf(use);
  if (amount === 0 || meter.limit.window.kind === 'concurrency') return dropUse(meter, grant);
  return putUse(meter, grant, {
    ...use,
    amount,
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
  if (surplus <= 0 && isOpenFor(meter, nowMs)) return nowMs;
  if (amount > limit) return null;
  // The uses of a session end with it, one like the other.
  if (window.kind === 'session')
    return endless(meter) + amount <= limit ? (meter.session?.untilMs ?? null) : null;
  if (window.kind !== 'refill') return whenFreedMs(meter, surplus);
  if (held(meter) + amount <= limit) return nowMs + Math.ceil((surplus * window.perMs) / limit);
  return endings(meter)[0]?.endsAtMs ?? null;
};

/** The same meter on a clock that was set by so many milliseconds. Windows with boundaries go by the new time. */
export const shiftMeter = (meter: Meter, byMs: number): Meter => {
  const { window } = meter.limit;
  const lastsForATime = window.kind === 'rolling' || window.kind === 'refill' || window.kind === 'session';
  const later = (atMs: number | null): number | null => (atMs === null ? null : atMs + byMs);
  const uses = [...meter.uses].map(([grant, use]) => {
    const endsAtMs = lastsForATime ? later(use.endsAtMs) : use.endsAtMs;
    return [grant, { ...use, begunAtMs: later(use.begunAtMs), endsAtMs }] as const;
  });
  if (!lastsForATime) return { ...meter, uses: new Map(uses) };
  const session = meter.session && {
    ...meter.session,
    fromMs: meter.session.fromMs + byMs,
    untilMs: meter.session.untilMs + byMs,
  };
  return { ...meter, uses: new Map(uses), session, drainedAtMs: meter.drainedAtMs + byMs };
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
const endOfUseMs = (
  { limit: { metric, window }, marginMs, session }: Meter,
  countedByMs: number,
): number | null => {
  switch (window.kind) {
    case 'rolling':
      return countedByMs + window.perMs;
    case 'refill':
      return metric === 'requests' ? countedByMs : null;
    case 'fixed':
    case 'fixed-month':
    case 'calendar':
      return windowEndMs(window, countedByMs) + marginMs;
    case 'session':
      return Math.min(countedByMs + window.perMs, session?.isSure === true ? session.untilMs : Infinity);
    case 'concurrency':
      return null;
  }
};

/** What is left of the margin when a call is known to be over: clocks differ a little. */
const FINISHED_MARGIN_RATIO = 1 / 40;

const endOfFinishedUseMs = (meter: Meter, { begunAtMs, endsAtMs }: Use, nowMs: number): number | null => {
  const { window } = meter.limit;
  const sentByMs = (begunAtMs ?? nowMs) + meter.marginMs;
  const countedByMs = nowMs + 1 + Math.ceil(meter.marginMs * FINISHED_MARGIN_RATIO);
  if (window.kind === 'rolling' || window.kind === 'refill') {
    const knownMs = Math.max(endsAtMs ?? sentByMs, endOfUseMs(meter, sentByMs) ?? sentByMs);
    return Math.max(nowMs, Math.min(knownMs, endOfUseMs(meter, countedByMs) ?? countedByMs));
  }
  const latestMs = endOfUseMs(meter, Math.min(sentByMs, countedByMs));
  return endsAtMs === null || latestMs === null ? endsAtMs : Math.max(endsAtMs, latestMs);
};

const drain = (meter: Meter, untilMs: number): Meter => {
  if (meter.limit.window.kind !== 'refill' || untilMs <= meter.drainedAtMs) return meter;
  const drained = ((untilMs - meter.drainedAtMs) * meter.limit.amount) / meter.limit.window.perMs;
  return { ...meter, debt: Math.max(0, meter.debt - drained), drainedAtMs: untilMs };
};

interface Ending {
  readonly grant: number;
  readonly amount: number;
  readonly endsAtMs: number;
}

/** The uses whose end is known, and is not after `untilMs`, the first to end first. */
const endings = ({ uses }: Meter, untilMs = Infinity): readonly Ending[] => {
  const found: Ending[] = [];
  for (const [grant, { amount, endsAtMs }] of uses)
    if (endsAtMs !== null && endsAtMs <= untilMs) found.push({ grant, amount, endsAtMs });
  return found.toSorted((a, b) => a.endsAtMs - b.endsAtMs);
};

const without = (uses: Meter['uses'], ended: readonly Ending[]): Meter['uses'] => {
  if (ended.length === 0) return uses;
  const rest = new Map(uses);
  for (const { grant } of ended) rest.delete(grant);
  return rest;
};

const putUse = (meter: Meter, grant: number, use: Use): Meter => ({
  ...meter,
  uses: new Map(meter.uses).set(grant, use),
});

const dropUse = (meter: Meter, grant: number): Meter => {
  const uses = new Map(meter.uses);
  uses.delete(grant);
  return { ...meter, uses };
};
