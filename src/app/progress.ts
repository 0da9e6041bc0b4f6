/** What a person wants to know while a batch runs. Types, and the little arithmetic that every display shares. */
import { opensAtMs } from '../core/night-window.ts';
import type { Batch } from './batch-store.ts';
import type { Closing } from './health-book.ts';
import type { Routing } from './ports.ts';
import type { CalendarUnit, Metric } from '../core/model.ts';
import type { Forecast } from '../core/plan/forecast.ts';
import { type NamedPrice, type Savings, savingsOf } from '../core/money/price.ts';

/** What a provider did that its declared limit does not explain. */
export interface LimitEvidence {
  /** When the limit was lowered first, and when it was last. */
  readonly sinceMs: number;
  readonly lastAtMs: number;
  /** Refusals since then, although there was room by our count. */
  readonly refusals: number;
  /** What it said last; one line. */
  readonly reason: string;
  /** When a single call next tries whether there is more. */
  readonly probeAtMs: number;
}

/** One limit as it stands. */
export interface LimitUse {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly metric: Metric;
  readonly windowKind: string;
  /** Length in milliseconds where the window has a fixed one; else `null` (a calendar day or month). */
  readonly perMs: number | null;
  readonly unit: CalendarUnit | null;
  readonly timeZone: string | null;
  /** The instant that a fixed window is counted from; `null` for the other kinds. */
  readonly anchorAtMs: number | null;
  /** What is granted from now: the declared amount, or less while evidence says so. */
  readonly amount: number;
  /** What the configuration declares, less what is reserved. Of `units`: whole units, as everywhere here. */
  readonly declaredAmount: number;
  /** Kept for other uses of the key. */
  readonly reservedAmount: number;
  /** Why `amount` is less than `declaredAmount`; `null` while it is not. */
  readonly evidence: LimitEvidence | null;
  /** Counted and held now, at most a little over `amount`. */
  readonly used: number;
  /** When some of it frees next; `null` while nothing is counted, or it hangs on calls under way. */
  readonly freesAtMs: number | null;
}

/** One lane as it stands. */
export interface LaneProgress {
  readonly laneId: string;
  readonly providerId: string;
  readonly callsUnderWay: number;
  /** Since the record began, not since this batch did. */
  readonly calls: number;
  readonly succeeded: number;
  readonly rejected: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the lane and of its provider. */
  readonly limits: readonly LimitUse[];
  /** Of the lane, else of its provider; `null` while it takes calls. */
  readonly closing: Closing | null;
  /** Somebody paused it: nothing is granted on it until it is resumed. */
  readonly isPaused: boolean;
  /** Live processes that make calls on it. */
  readonly workers: number;
}

/** A batch and its lanes at one instant. */
export interface Progress {
  readonly atMs: number;
  readonly batch: Batch;
  /** Requests waiting for a known instant. */
  readonly parked: number;
  /** When the first of them is pending again, or the first of those that avoid a lane for a while may go there again. */
  readonly nextDueAtMs: number | null;
  /** Calls granted or under way for this batch. */
  readonly underWay: number;
  /** When it will be done; `null` while nobody plans it. */
  readonly forecast: Forecast | null;
  readonly lanes: readonly LaneProgress[];
  /** What its lines would have cost where they cost least, less what was spent; `null` where no price is known. */
  readonly savings: Savings | null;
}

/** Reads how things stand. */
export interface ProgressReader {
  /** With the lanes of that routing; `null` if the batch was removed. */
  read(batchId: number, routing: Routing): Promise<Progress | null>;
  /** The lanes without a batch, in the order of the routing. */
  lanes(routing: Routing): Promise<readonly LaneProgress[]>;
}

/** What the lines of a batch that are done saved, by its totals alone. */
export const batchSavings = (batch: Batch, prices: readonly NamedPrice[]): Savings | null =>
  savingsOf({ ...batch, calls: batch.succeeded }, prices);

/** Whether what is left of its budget covers no call that it could make on a paid lane. */
export const isOutOfMoney = (batch: Batch): boolean =>
  batch.maxCostNanoDollars !== null &&
  batch.refusedNanoDollars !== null &&
  batch.spentNanoDollars + batch.heldNanoDollars + batch.refusedNanoDollars > batch.maxCostNanoDollars;

/** Whether it has a budget that still covers calls. */
export const mayPay = (batch: Batch): boolean => batch.maxCostNanoDollars !== null && !isOutOfMoney(batch);

/** The deadline of a batch that is not done by then, as it is forecast; `null` where it is, or has none. */
export const expiresAtMs = ({ batch, forecast }: Pick<Progress, 'batch' | 'forecast'>): number | null => {
  const { deadlineAtMs } = batch.terms;
  const finishAtMs = forecast?.finishAtMs ?? null;
  return deadlineAtMs !== null && finishAtMs !== null && finishAtMs > deadlineAtMs ? deadlineAtMs : null;
};

/** Lines that have their final line. */
export const linesDone = (batch: Batch): number =>
  batch.bad + batch.succeeded + batch.failed + batch.cancelled + batch.expired;

/** Whether every line has its final line. */
export const isFinal = (batch: Batch): boolean => linesDone(batch) >= batch.total;

/** When its night window opens for a batch in progress that waits for it; `null` while calls may begin. */
export const waitsForNightUntilMs = ({ state, isPaused, terms }: Batch, nowMs: number): number | null => {
  if (state !== 'in_progress' || isPaused) return null;
  const untilMs = opensAtMs(terms.nightWindow, nowMs);
  return untilMs > nowMs ? untilMs : null;
};

/** Lines that have a final line and are no success. */
export const linesNotSucceeded = (batch: Batch): number => linesDone(batch) - batch.succeeded;
