/**
 * The shape of a catalog entry: what one vendor offers, and where each figure was read.
 * Types and window constants only; the figures live in one file per provider beside this one.
 */
import type { Dialect, Limit, Tier, Window } from '../core/model.ts';

/** How far a figure may be trusted: documented and recent, reported by users, or inferred. */
export type Confidence = 'high' | 'medium' | 'low';

/** Where a figure was read. */
export interface Source {
  readonly url: string;
  /** `YYYY-MM-DD` that the page bears; the day it was read where it bears none (then `note` says so). */
  readonly date: string;
  readonly note?: string;
}

/** The evidence for one figure. Of conflicting figures the lower is used and the others are noted. */
export interface Evidence {
  /** Key into the provider's `sources`. */
  readonly source: string;
  readonly confidence: Confidence;
  readonly note?: string;
  /** Higher figures that other sources give for the same limit. */
  readonly altFigures?: readonly AlternativeFigure[];
}

/** A figure that was not used because a lower one exists. */
export interface AlternativeFigure {
  readonly amount: number;
  readonly note: string;
}

/** A limit with its evidence. */
export type CatalogLimit = Limit & Evidence;

/** One model as the catalog ships it. */
export interface CatalogModel extends Evidence {
  /** Short name: the lane is `provider/id`. */
  readonly id: string;
  /** The vendor's own id, sent in the call. */
  readonly model: string;
  /** Prompt and output together, in tokens. */
  readonly contextTokens: number;
  /** The largest output one call may ask for, in tokens. */
  readonly maxOutputTokens: number;
  readonly limits: readonly CatalogLimit[];
}

/** One vendor as the catalog ships it. The configuration file may override any figure. */
export interface CatalogProvider {
  readonly id: string;
  /** The vendor's name for people. */
  readonly name: string;
  /** May hold `{VARIABLE}` placeholders that the environment fills. */
  readonly baseUrl: string;
  readonly apiKeyEnv: string;
  readonly tier: Tier;
  /** Whether prompts on the free tier may be used for training; `null` where it is unknown. */
  readonly trainsOnData: boolean | null;
  /** One sentence on what happens to the prompts. */
  readonly dataNote: string;
  readonly dialect: Dialect;
  readonly refusesParameters: readonly string[];
  /** Shared by all models. */
  readonly limits: readonly CatalogLimit[];
  readonly models: readonly CatalogModel[];
  /** A call is aborted after this long. */
  readonly timeoutMs: number;
  /** How to get a key, in one sentence with the address; for a local server, how to start it. */
  readonly howToStart: string;
  /** What the terms ask of a user of the free tier. */
  readonly terms: string;
  /** What else a user should know; one sentence each. */
  readonly notes: readonly string[];
  readonly sources: Readonly<Record<string, Source>>;
}

/** Long enough for a slow free tier to write a page; a call that hangs costs one of 4 tries. */
export const CLOUD_TIMEOUT_MS = 120_000;
/** A laptop reads a long prompt at some tens of tokens per second. */
export const LOCAL_TIMEOUT_MS = 300_000;

/** Any 60 s: also the stricter reading where the kind of a minute window is not documented. */
export const ROLLING_MINUTE: Window = { kind: 'rolling', perMs: 60_000 };
/** A bucket that refills within a minute. */
export const REFILL_MINUTE: Window = { kind: 'refill', perMs: 60_000 };
/** A bucket that refills within 24 h, with no reset at midnight. */
export const REFILL_DAY: Window = { kind: 'refill', perMs: 86_400_000 };
/** Midnight to midnight in UTC. */
export const UTC_DAY: Window = { kind: 'calendar', unit: 'day', timeZone: 'UTC' };
/** The first of a month to the first of the next, in UTC. */
export const UTC_MONTH: Window = { kind: 'calendar', unit: 'month', timeZone: 'UTC' };
/** Midnight to midnight in California, daylight saving included. */
export const PACIFIC_DAY: Window = { kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' };

/** Pages without a date were read on this day. */
export const READ_ON = '2026-11-20';

/** A page that bears no date. */
export function undated(url: string, note?: string): Source {
  const read = `The page bears no date; this is the day the facts were gathered.`;
  return { url, date: READ_ON, note: note === undefined ? read : `${note} ${read}` };
}

/** Lists that several providers' figures were read from. */
export const SHARED_SOURCES = {
  mnfst: {
    url: 'https://github.com/mnfst/awesome-free-llm-apis/blob/010fa9a482bca94e7061a947005ca78b112d75e6/data.json',
    date: '2026-10-05',
  },
  freellmapi: {
    url: 'https://github.com/tashfeenahmed/freellmapi',
    date: '2026-08-22',
    note: 'At 291556d: sampling-params.ts, ratelimit.ts, error-classify.ts and its review of terms.',
  },
  keyPages: undated('https://doc.aiscouncil.com/pt/advanced/api-keys', 'Addresses of the key pages.'),
} as const satisfies Record<string, Source>;
