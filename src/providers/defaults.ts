/** Figures of our own that entries of the catalog share, each with its reason. */
import type { KeyCheck } from './catalog-provider.ts';

/** Long enough for a slow free tier to write a page; a call that hangs costs one of 4 tries. */
export const CLOUD_TIMEOUT_MS = 120_000;
/** Where a model is loaded first, which takes up to a minute. */
export const COLD_START_TIMEOUT_MS = 180_000;
/** A laptop reads a long prompt at some tens of tokens per second. */
export const LOCAL_TIMEOUT_MS = 300_000;

/** Models that count tokens as the estimate does, by o200k (gpt-oss); a lane's default is 1.25. */
export const O200K_RATIO = 1;

/** Where the largest output is not published: enough for summaries, and no model of the catalog is known to give less than half. */
export const CAREFUL_OUTPUT_TOKENS = 8_192;
/** Where the context is not published: every model of the catalog whose context is known has at least 24,000. */
export const CAREFUL_CONTEXT_TOKENS = 24_000;

/** The list of models, for whose sake a wrong key is refused. */
export const MODELS_PROVE_KEY: KeyCheck = { path: '/models', provesKey: true };
/** The list of models, which anybody may get. */
export const MODELS_FOR_ANYBODY: KeyCheck = { path: '/models', provesKey: false };
