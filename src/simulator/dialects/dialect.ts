/** What a dialect is: how one provider words its errors and which headers it sends. */
import type { Complaint } from './complaint.ts';
import type { Meter } from '../windows/meter.ts';
import { usedNow } from '../windows/meter.ts';
import type { SimulatedMetric, WindowName } from '../tier.ts';
import { windowName } from '../tier.ts';

/** An HTTP answer, ready to be sent. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What headers may tell of: the limits that concern one model, at one instant. */
export interface Gauge {
  /** The model's own limits first, then the provider's. */
  readonly meters: readonly Meter[];
  readonly nowMs: number;
  /** What the call took, both directions. */
  readonly costTokens: number;
}

/** One provider's manner of speaking. */
export interface Dialect {
  /** The error answer, without the headers of `gaugeHeaders`. */
  refuse(complaint: Complaint): Reply;
  /** Headers of every answer that passed the gate, and of its quota refusals. */
  gaugeHeaders(gauge: Gauge): Readonly<Record<string, string>>;
  /** Whether they come with every other refusal of a known caller, too. Default false. */
  readonly gaugesEveryReply?: boolean;
}

/** A JSON answer. */
export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** One limit as headers show it. */
export interface Reading {
  readonly limit: number;
  /** Rounded down, never below 0: nobody reads more room than is. */
  readonly remaining: number;
  /** Until nothing of it is used any more. */
  readonly untilFullMs: number;
}

/** The first limit of this metric and window name, or null where the tier has none. */
export function readGauge(gauge: Gauge, metric: SimulatedMetric, window: WindowName): Reading | null {
  const meter = gauge.meters.find(({ limit }) => limit.metric === metric && windowName(limit) === window);
  if (meter === undefined) return null;
  const { amount } = meter.limit;
  const remaining = Math.max(0, Math.floor(amount - usedNow(meter, gauge.nowMs)));
  return { limit: amount, remaining, untilFullMs: meter.count.untilUnusedMs(gauge.nowMs) };
}

/** `x-ratelimit-limit-LABEL` and its two siblings for one limit; `reset` writes the time until nothing is used. */
export function rateLimitHeaders(
  reading: Reading | null,
  label: string,
  reset: (durationMs: number) => string,
): Record<string, string> {
  if (reading === null) return {};
  return {
    [`x-ratelimit-limit-${label}`]: String(reading.limit),
    [`x-ratelimit-remaining-${label}`]: String(reading.remaining),
    [`x-ratelimit-reset-${label}`]: reset(reading.untilFullMs),
  };
}

/** Whole seconds, at least 1, rounded up: the form of `retry-after`. */
export function retryAfterSeconds(waitMs: number): string {
  return String(Math.max(1, Math.ceil(waitMs / 1_000)));
}
