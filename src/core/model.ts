/**
 * The words of Nightshift, used the same way in code, tables, routes, logs and the README.
 *
 * - batch: one submitted file with its policy (pool, task, output).
 * - request: one line of a batch, identified by its `custom_id`.
 * - provider: one API vendor with one key: one account.
 * - lane: provider x model (`groq/gpt-oss-20b`, split at the first `/`): has limits, a queue, a worker.
 * - pool: a named, ordered list of lanes that may serve a request.
 * - limit: an amount of something (requests, tokens) per window, on a lane or on a provider.
 * - window: how a limit refills: rolling, refill (token bucket), fixed, calendar or session.
 * - grant: permission, already paid for in quota, for one call on one lane.
 * - attempt: what became of a grant.
 * - try: an attempt that counts against a request's limit; waiting, quota refusals and lane outages do not.
 * - parked: waiting for a known instant.
 *
 * Types and the lists they are made of: no behaviour lives here. All durations and instants are milliseconds; instants end in `AtMs`.
 */

/**
 * How a limit refills.
 *
 * - `rolling`: never more than the amount in any interval of `perMs`.
 * - `refill`: a token bucket that holds the amount and refills continuously at amount / perMs.
 * - `fixed`: windows of equal length (`perMs`), or of one month, counted from `anchorAtMs`. Months are counted
 *   from the anchor itself in `timeZone`, so that the 31st does not drift to the 28th.
 * - `calendar`: the day, week (from Monday, ISO 8601) or month of a time zone (IANA name).
 * - `session`: opens with the first call after the one before has ended, and lasts `perMs`.
 */
export type Window =
  | { readonly kind: 'rolling'; readonly perMs: number }
  | { readonly kind: 'refill'; readonly perMs: number }
  | { readonly kind: 'fixed'; readonly perMs: number; readonly anchorAtMs: number }
  | { readonly kind: 'fixed-month'; readonly anchorAtMs: number; readonly timeZone: string }
  | { readonly kind: 'calendar'; readonly unit: CalendarUnit; readonly timeZone: string }
  | { readonly kind: 'session'; readonly perMs: number };

/** What a calendar window is as long as. */
export type CalendarUnit = 'day' | 'week' | 'month';

/**
 * What a limit counts. `tokens` counts both directions together; `units` are the provider's own (Cloudflare's
 * neurons), which each lane takes at its own {@link UnitCost}.
 */
export type Metric = 'requests' | 'tokens' | 'inputTokens' | 'outputTokens' | 'units';

/** At most `amount` of `metric` per `window`. `amount` is a positive integer. */
export interface Limit {
  readonly metric: Metric;
  readonly amount: number;
  readonly window: Window;
  /** What of the provider's own figure is kept for other uses of the key: that figure is `amount + reserved`. */
  readonly reserved?: number;
}

/** What a thousand tokens cost in the provider's own units. */
export interface UnitCost {
  readonly input: number;
  readonly output: number;
}

/** How the providers word their refusals and headers; `openai` is the common form. */
export const DIALECTS = [
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
export type Dialect = (typeof DIALECTS)[number];

/** What using a provider costs: `all` as a pool never contains a paid lane. */
export type Tier = 'free' | 'trial' | 'paid' | 'local';

/** One API vendor with one key, as the configuration resolved it. The key itself is never part of it. */
export interface Provider {
  /** Short kebab-case name, the part of a lane's id before the first `/`. */
  readonly id: string;
  /** OpenAI-compatible base URL, up to and including `/v1` or its like. */
  readonly baseUrl: string;
  /** Environment variable that holds the key; missing for servers that need none. */
  readonly apiKeyEnv?: string;
  readonly tier: Tier;
  /** Whether prompts may be used for training; `null` where it is unknown. */
  readonly trainsOnData: boolean | null;
  /** Where prompts are processed, as upper-case codes (`US`, `EU`, `CN`); missing where it is unknown or anywhere. */
  readonly regions?: readonly string[];
  /** A gateway: what it is sent goes on to providers that only its owner knows. Missing: it answers by itself. */
  readonly passesOn?: true;
  readonly dialect: Dialect;
  /** Calls under way at once over all lanes; `null` for no bound of the provider's own. */
  readonly concurrency: number | null;
  /** Shared by all lanes of the provider. */
  readonly limits: readonly Limit[];
  /** Body members this provider answers 400 to; they are left out before a call. */
  readonly refusesParameters: readonly string[];
  readonly lanes: readonly Lane[];
}

/** One model of one provider. */
export interface Lane {
  /** `provider/model`. */
  readonly id: string;
  readonly providerId: string;
  /** The model's id as the provider knows it; may contain `/` and `:`. */
  readonly model: string;
  /** Prompt and output together, in tokens. */
  readonly contextTokens: number;
  /** The largest output one call may ask for, in tokens. */
  readonly maxOutputTokens: number;
  /** Calls under way at once on this lane. */
  readonly concurrency: number;
  /** A call is aborted after this long. */
  readonly timeoutMs: number;
  readonly limits: readonly Limit[];
  /** For limits of `units` of the lane or its provider; missing where there is none. */
  readonly unitCost?: UnitCost;
  /**
   * How many tokens its own tokenizer makes of one that was counted at ingest, at most: what is reserved until its
   * answers have shown it. Default: {@link DEFAULT_TOKEN_RATIO}.
   */
  readonly tokenRatio?: number;
  /** What its calls cost; only on paid and trial tiers, and missing where nobody has said. */
  readonly price?: Price;
}

/**
 * What calls cost, in billionths of a US dollar: whole numbers, so that every sum of them is exact. 0.05 dollars per million
 * tokens are 50,000,000 of them per million, and 50 per token.
 */
export interface Price {
  readonly inputNanoDollarsPerMillion: number;
  readonly outputNanoDollarsPerMillion: number;
  /** Of a call by itself, beside its tokens. */
  readonly requestNanoDollars: number;
}

/**
 * Tokens of an unknown tokenizer per token of o200k, at most, for Latin scripts: smaller vocabularies cut finer. A
 * lane's own answers correct it within a few calls.
 */
export const DEFAULT_TOKEN_RATIO = 1.25;

/** The lanes a name stands for, in the user's order of preference. */
export interface Pool {
  readonly name: string;
  readonly laneIds: readonly string[];
}

/** What one request takes: on no lane in particular as counted at ingest, or as reserved on one. */
export interface TokenEstimate {
  readonly promptTokens: number;
  /** What the answer may take at most: the request's own `max_tokens`, or the cap it is given. */
  readonly outputTokens: number;
}

/** What a provider reported for one call. */
export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}
