/** What a person wants to know while a batch runs. Types, and the little arithmetic that every display shares. */
import type { Batch, Closing, Routing } from './ports.ts';
import type { Metric } from '../core/model.ts';

/** One limit as it stands. */
export interface LimitUse {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly metric: Metric;
  readonly windowKind: string;
  /** Length in milliseconds where the window has a fixed one; else `null` (a calendar day or month). */
  readonly perMs: number | null;
  readonly unit: 'day' | 'month' | null;
  readonly timeZone: string | null;
  readonly amount: number;
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
  readonly lanes: readonly LaneProgress[];
}

/** Reads how things stand. */
export interface ProgressReader {
  /** With the lanes of that routing; `null` if the batch was removed. */
  read(batchId: number, routing: Routing): Promise<Progress | null>;
  /** The lanes without a batch, in the order of the routing. */
  lanes(routing: Routing): Promise<readonly LaneProgress[]>;
}

/** Lines that have their final line. */
export const linesDone = (batch: Batch): number =>
  batch.bad + batch.succeeded + batch.failed + batch.cancelled;

/** Whether every line has its final line. */
export const isFinal = (batch: Batch): boolean => linesDone(batch) >= batch.total;
