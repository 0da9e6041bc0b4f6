/**
 * What a simulated free tier is, as data: who it imitates, what it allows, which models it has.
 *
 * The simulator judges Nightshift, so these types are its own and nothing is imported from the rest of the
 * project. All durations and instants are milliseconds; instants are Unix epoch milliseconds.
 */

/**
 * How a limit refills.
 *
 * - `rolling`: never more than the amount in any half-open interval of `perMs`.
 * - `refill`: a token bucket that starts full, holds the amount and refills continuously at amount / perMs.
 * - `fixed`: windows of `perMs` counted from `anchorAtMs`, in both directions.
 * - `fixed-month`: months counted from `anchorAtMs` on the clock of `timeZone`; the 31st does not drift to the 28th.
 * - `calendar`: the day, the week (from Monday, ISO 8601) or the month of a time zone (IANA name).
 * - `session`: opens with the first call after the one before has ended, and lasts `perMs`.
 */
export type SimulatedWindow =
  | { readonly kind: 'rolling'; readonly perMs: number }
  | { readonly kind: 'refill'; readonly perMs: number }
  | { readonly kind: 'fixed'; readonly perMs: number; readonly anchorAtMs: number }
  | { readonly kind: 'fixed-month'; readonly anchorAtMs: number; readonly timeZone: string }
  | { readonly kind: 'calendar'; readonly unit: CalendarUnit; readonly timeZone: string }
  | { readonly kind: 'session'; readonly perMs: number };

/** What a calendar window is as long as. */
export type CalendarUnit = 'day' | 'week' | 'month';

/** Everything a limit may count. */
export const SIMULATED_METRICS = ['requests', 'tokens', 'inputTokens', 'outputTokens', 'units'] as const;

/**
 * What a limit counts. `tokens` is both directions together; `units` are the provider's own (Cloudflare's Neurons),
 * of which every model takes its {@link UnitCost}.
 */
export type SimulatedMetric = (typeof SIMULATED_METRICS)[number];

/** What a thousand tokens of each direction take in the provider's own units; up to three decimals count. */
export interface UnitCost {
  readonly input: number;
  readonly output: number;
}

/** The word a provider uses for a window in its messages and headers. */
export type WindowName = 'second' | 'minute' | 'hour' | 'session' | 'day' | 'week' | 'month';

/** At most `amount` of `metric` per window. */
export interface SimulatedLimit {
  readonly metric: SimulatedMetric;
  /** A positive integer; of `units`, whole ones. */
  readonly amount: number;
  readonly window: SimulatedWindow;
  /**
   * What the tier calls this window; from its length unless said. Says "day" for a day that was compressed
   * to seconds, so that a client meets the words of the real provider.
   */
  readonly calledAs?: WindowName;
}

/** Whose headers and error bodies a tier imitates; `openai` is the common form. */
export const SIMULATED_DIALECTS = [
  'openai',
  'gemini',
  'groq',
  'openrouter',
  'cloudflare',
  'mistral',
  'cohere',
  'cerebras',
  'nvidia',
  'zhipu',
  'alibaba',
  'ollama',
] as const;
export type SimulatedDialect = (typeof SIMULATED_DIALECTS)[number];

/** How long an answer takes: `minMs + perOutputTokenMs * completion tokens + [0, jitterMs)`. Zero answers at once. */
export interface SimulatedLatency {
  readonly minMs: number;
  readonly perOutputTokenMs?: number;
  readonly jitterMs?: number;
}

/** One model of a tier. */
export interface SimulatedModel {
  /** As the client names it; may contain `/` and `:`. */
  readonly id: string;
  /** Prompt and output together, in tokens of `count-tokens.ts`. */
  readonly contextTokens: number;
  /** The most one call may ask for, and what a call without `max_tokens` is charged up front. */
  readonly maxOutputTokens: number;
  readonly limits: readonly SimulatedLimit[];
  /** Needed where a limit of the model or of its provider counts units. */
  readonly unitCost?: UnitCost;
  /** Calls under way at once; one more is a 429. No bound unless said. */
  readonly concurrency?: number;
  readonly latency: SimulatedLatency;
}

/** One simulated provider: one account with one key. */
export interface SimulatedTier {
  /** The first part of its path; letters, digits, `.`, `_` and `-`. */
  readonly id: string;
  readonly dialect: SimulatedDialect;
  /** The bearer key it accepts; any caller is served unless said. */
  readonly apiKey?: string;
  /** Shared by all models. */
  readonly limits: readonly SimulatedLimit[];
  /** Calls under way at once over all models; one more is a 429. No bound unless said. */
  readonly concurrency?: number;
  readonly models: readonly SimulatedModel[];
  /** Whether a call refused with 429 still counts as a request. Default false. */
  readonly countsRejected?: boolean;
  /** Whether a call the model failed at keeps its request and its prompt tokens counted. Default true. */
  readonly countsFailed?: boolean;
  /** Body members answered with an error that names them. Default none. */
  readonly refusesParameters?: readonly string[];
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** The word for a limit's window: its own, or by length (under an hour is a "minute", from 28 days on a "month"). */
export function windowName(limit: SimulatedLimit): WindowName {
  if (limit.calledAs !== undefined) return limit.calledAs;
  const { window } = limit;
  switch (window.kind) {
    case 'fixed-month':
      return 'month';
    case 'calendar':
      return window.unit;
    case 'session':
      return 'session';
    case 'rolling':
    case 'refill':
    case 'fixed':
      return nameOfLength(window.perMs);
  }
}

function nameOfLength(perMs: number): WindowName {
  if (perMs <= SECOND_MS) return 'second';
  if (perMs < HOUR_MS) return 'minute';
  if (perMs < DAY_MS) return 'hour';
  if (perMs < WEEK_MS) return 'day';
  return perMs < 4 * WEEK_MS ? 'week' : 'month';
}
