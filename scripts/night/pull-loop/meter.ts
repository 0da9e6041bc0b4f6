/** One declared limit, counted by the client: how long until so much more is allowed. Instants and durations are of the night. */
import type { SimulatedWindow } from '../../../src/simulator/tier.ts';
import { periodAt } from '../../../src/simulator/windows/periods.ts';

/** What a call took, so that it can be corrected. */
export interface Take {
  amount: number;
  readonly atMs: number;
}

/** A limit's count. Instants must not decrease. */
export interface Meter {
  /** 0 when `amount` may be taken now. */
  waitMs(amount: number, nowMs: number): number;
  take(amount: number, nowMs: number): Take;
  /** Replaces what was taken by what was really used. */
  correct(take: Take, amount: number, nowMs: number): void;
}

/** Calls arrive a little later than they are sent: windows are taken to be this much longer, and none are made as shortly before one ends. */
const ALLOWANCE_MS = 1_000;

/** A meter for each kind of window. */
export const meterFor = (window: SimulatedWindow, limit: number): Meter => {
  switch (window.kind) {
    case 'rolling':
      return rollingMeter(limit, window.perMs + ALLOWANCE_MS);
    case 'refill':
      return bucketMeter(limit, window.perMs);
    case 'session':
      return counterMeter(limit, (atMs) => atMs + window.perMs);
    case 'fixed':
    case 'fixed-month':
    case 'calendar':
      return counterMeter(limit, (atMs) => periodAt(window, atMs).endMs);
  }
};

/** A log of the last window. */
const rollingMeter = (limit: number, perMs: number): Meter => {
  let takes: Take[] = [];
  const forget = (nowMs: number): void => {
    takes = takes.filter(({ atMs }) => atMs + perMs > nowMs);
  };
  return {
    waitMs(amount, nowMs) {
      forget(nowMs);
      let excess = takes.reduce((sum, take) => sum + take.amount, amount) - limit;
      if (excess <= 0) return 0;
      const freeing = takes.find((take) => (excess -= take.amount) <= 0);
      return freeing === undefined ? Number.POSITIVE_INFINITY : freeing.atMs + perMs - nowMs;
    },
    take(amount, nowMs) {
      const take = { amount, atMs: nowMs };
      takes.push(take);
      return take;
    },
    correct(take, amount) {
      take.amount = amount;
    },
  };
};

/** A token bucket that starts full. */
const bucketMeter = (limit: number, perMs: number): Meter => {
  let level = limit;
  let filledAtMs = Number.NEGATIVE_INFINITY;
  const fill = (nowMs: number): void => {
    if (nowMs <= filledAtMs) return;
    level = Math.min(limit, level + ((nowMs - filledAtMs) * limit) / perMs);
    filledAtMs = nowMs;
  };
  return {
    waitMs(amount, nowMs) {
      fill(nowMs);
      if (amount > limit) return Number.POSITIVE_INFINITY;
      if (amount <= level) return 0;
      return 1 + Math.ceil(filledAtMs - nowMs + ((amount - level) * perMs) / limit);
    },
    take(amount, nowMs) {
      fill(nowMs);
      // The provider's bucket may be full until the call arrives, and does not fill meanwhile.
      const untilFullMs = ((limit - level) * perMs) / limit;
      filledAtMs = Math.max(filledAtMs, nowMs + Math.max(0, Math.ceil(ALLOWANCE_MS - untilFullMs)));
      level -= amount;
      return { amount, atMs: nowMs };
    },
    correct(take, amount, nowMs) {
      fill(nowMs);
      level = Math.min(limit, level + take.amount - amount);
      take.amount = amount;
    },
  };
};

/** A sum that starts again when its window has ended; `endOf` is the end of the one that a call at an instant falls into. */
const counterMeter = (limit: number, endOf: (atMs: number) => number): Meter => {
  let used = 0;
  let firstAtMs = Number.NEGATIVE_INFINITY;
  let endsAtMs = Number.NEGATIVE_INFINITY;
  const isOpen = (nowMs: number): boolean => nowMs < endsAtMs + ALLOWANCE_MS;
  return {
    waitMs(amount, nowMs) {
      const taken = isOpen(nowMs) ? used : 0;
      const untilMs = isOpen(nowMs) ? endsAtMs : endOf(nowMs);
      const fits = taken + amount <= limit && nowMs < untilMs - ALLOWANCE_MS;
      return fits ? 0 : Math.max(1, untilMs + ALLOWANCE_MS - nowMs);
    },
    take(amount, nowMs) {
      if (!isOpen(nowMs)) [used, firstAtMs, endsAtMs] = [0, nowMs, endOf(nowMs)];
      used += amount;
      return { amount, atMs: nowMs };
    },
    correct(take, amount) {
      if (take.atMs >= firstAtMs) used += amount - take.amount;
      take.amount = amount;
    },
  };
};
