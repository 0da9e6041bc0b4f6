/**
 * The shape of a catalog entry: what one provider offers, and where each figure was read.
 * Types only; the figures live in one file per provider with models (`free/`, `trial/`), the others by kind beside this one.
 */
import type { Dialect, Limit, Tier, UnitCost } from '../core/model.ts';

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

/** How many calls may be under way at once, with its evidence. */
export type CatalogConcurrency = { readonly calls: number } & Evidence;

/** What a model is good enough for: summaries and labels in bulk, or lines that need more thought. */
export type Purpose = 'small' | 'large';

/** US dollars per million tokens at the standard rate, with at most 6 decimals; of a free tier, where more than its allowance is bought. */
export interface Prices {
  readonly input: number;
  readonly output: number;
}

/** The prices of a model, with their evidence. */
export type CatalogPrices = Prices & Evidence;

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
  /** The ready-made pools it belongs in; none for code models and the like, which only `all` holds. */
  readonly suits: readonly Purpose[];
  /** Missing where only rates bound it. */
  readonly concurrency?: CatalogConcurrency;
  /** For a limit of the provider that counts `units`. */
  readonly unitCost?: UnitCost;
  /** See `Lane.tokenRatio`; missing where the tokenizer is another than o200k, so that the default holds. */
  readonly tokenRatio?: number;
  readonly prices?: Prices;
}

/** A request that tells whether a key works and spends nothing. */
export interface KeyCheck {
  /** Appended to the base URL and asked for with GET; may climb with `/..`. */
  readonly path: string;
  /** `false` where anybody gets an answer, or where it is not known that a wrong key gets none. */
  readonly provesKey: boolean;
}

/** What answers: who runs the models, who passes calls on to others, or a server of the user's own. */
export type ProviderKind = 'vendor' | 'gateway' | 'local-server';

/**
 * - `active`: works for anybody with a key.
 * - `disputed`: reports differ on whether the free tier still works.
 * - `gated`: only for people of one country, verified by name.
 */
export type ProviderStatus = 'active' | 'disputed' | 'gated';

/** One provider as the catalog ships it. The configuration file may override any figure. */
export interface CatalogProvider {
  readonly id: string;
  /** The provider's name for people. */
  readonly name: string;
  readonly kind: ProviderKind;
  readonly status: ProviderStatus;
  /** May hold `{VARIABLE}` placeholders that the environment fills. */
  readonly baseUrl: string;
  /** Missing where the free tier is anonymous: it is called without a key, and only if the user names it. */
  readonly apiKeyEnv?: string;
  /** Other variables that tools keep this key in: the first that is set counts if `apiKeyEnv` is not. */
  readonly altEnvKeys?: readonly string[];
  readonly tier: Tier;
  /** Whether prompts on the free tier may be used for training; `null` where it is unknown. */
  readonly trainsOnData: boolean | null;
  /** One sentence on what happens to the prompts. */
  readonly dataNote: string;
  /** Where prompts are processed, as upper-case codes; `null` where it is unknown or anywhere, as with gateways. */
  readonly regions: readonly string[] | null;
  readonly dialect: Dialect;
  readonly refusesParameters: readonly string[];
  /** `null` where every call counts, or no such request is known. */
  readonly keyCheck: KeyCheck | null;
  /** Over all models; missing where only the models bound it. */
  readonly concurrency?: CatalogConcurrency;
  /** Shared by all models. */
  readonly limits: readonly CatalogLimit[];
  /** What the provider calls the `units` of its limits, in the plural. */
  readonly unitName?: string;
  /** None: the provider is on only when the user lists models. */
  readonly models: readonly CatalogModel[];
  /** What models cost that the user may list, by the vendor's own id. */
  readonly prices?: Readonly<Record<string, CatalogPrices>>;
  /** A call is aborted after this long. */
  readonly timeoutMs: number;
  /** How to get a key, in one sentence with the address; for a local server, how to start it. */
  readonly howToStart: string;
  /** What the terms ask of a user. */
  readonly terms: string;
  /** What else a user should know, what is not known included; one sentence each. */
  readonly notes: readonly string[];
  readonly sources: Readonly<Record<string, Source>>;
}

/** A provider that is gone. It is kept so that whoever still names it is told; nothing routes to it. */
export interface RetiredProvider {
  readonly id: string;
  readonly name: string;
  readonly status: 'retired';
  /** `YYYY-MM-DD`; `null` where it ended without a date. */
  readonly retiredOn: string | null;
  /** One sentence on what happened, and where its users went. */
  readonly reason: string;
  readonly sources: Readonly<Record<string, Source>>;
}
