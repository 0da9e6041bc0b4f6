/**
 * The configuration file's schema: every key it may hold, with meaning, unit and default.
 * What a single value must be is checked here; how values relate to each other and to the catalog in relations.ts.
 */
import { z } from 'zod';
import { DIALECTS } from '../core/model.ts';
import {
  amount,
  baseUrl,
  duration,
  listOf,
  mappingOf,
  positiveInteger,
  price,
  ratio,
  regions,
  strict,
  text,
  variableName,
  yesOrNo,
} from './fields.ts';
import { limitEntry } from './limit-entry.ts';
import { reserve } from './reserve.ts';

const limits = listOf(limitEntry).transform((entries) => entries.flat());

const modelFields = strict({
  /** `false` switches the model off; so does `false` in place of the whole entry. */
  enabled: yesOrNo.optional(),
  /** The vendor's id, where it differs from the entry's name. */
  model: text.optional(),
  /** Prompt and output together, in tokens. */
  contextTokens: positiveInteger.optional(),
  /** The largest output one call may ask for, in tokens. */
  maxOutputTokens: positiveInteger.optional(),
  /** Calls under way at once. Default: 1 on a local server, else 8 or the calls of a minute if those are fewer. */
  concurrency: positiveInteger.optional(),
  /** A call is aborted after this long. Default: the provider's. */
  timeout: duration.optional(),
  /** Limits of this model. A list here replaces the catalog's. */
  limits: limits.optional(),
  /** What a thousand tokens cost in the provider's own units, where a limit counts `units`. */
  unitCost: strict({ input: amount, output: amount }).optional(),
  /** How many tokens its tokenizer makes of one of o200k, at most. Default: 1.25, for gpt-oss 1. */
  tokenRatio: ratio.optional(),
  /** What calls cost, in US dollars: per million tokens each way, and (rarely) per call. Paid and trial tiers only. */
  price: strict({ input: price, output: price, request: price.optional() }).optional(),
});

const providerFields = strict({
  /** `false` switches the provider off. */
  enabled: yesOrNo.optional(),
  /** OpenAI-compatible address up to `/v1`; `{VARIABLE}` is filled from the environment. */
  baseUrl: baseUrl.optional(),
  /** The environment variable that holds the key; leave it out for a server that needs none. */
  apiKeyEnv: variableName.optional(),
  /** What calls cost. Paid lanes take only lines of batches with `--max-cost`. */
  tier: z
    .enum(['free', 'trial', 'paid', 'local'], { error: 'expected `free`, `trial`, `paid` or `local`' })
    .optional(),
  /** Whether prompts may be used for training; `null` where it is unknown. */
  trainsOnData: yesOrNo.nullable().optional(),
  /** Where prompts are processed: a code such as `EU`, or several. Missing: unknown. */
  region: regions.optional(),
  /** How the provider words its refusals. Default: `openai`. */
  dialect: z
    .enum(DIALECTS, { error: `expected one of ${DIALECTS.map((name) => `\`${name}\``).join(', ')}` })
    .optional(),
  /** Calls under way at once over all models. Default: no bound but the models' own. */
  concurrency: positiveInteger.nullable().optional(),
  /** Limits that all models share. A list here replaces the catalog's. */
  limits: limits.optional(),
  /** Members of a request's body that the provider answers 400 to; they are left out. */
  refusesParameters: listOf(text).optional(),
  /** What of every limit is left for other uses of the key: a share, a number of requests, or amounts by metric. Default: nothing. */
  reserve: reserve.optional(),
  /** A call is aborted after this long. Default: 2m, on local servers 5m. */
  timeout: duration.optional(),
  /** Models by name: they change the catalog's of that name, or add to them. */
  models: nothingMeansEmpty(mappingOf(z.preprocess(shortForms, modelFields))).optional(),
});

/** The whole file. Every section may be left out. */
export const configFile = z.preprocess(
  (value) => value ?? {},
  strict({
    /** What is on: exactly these, where this section exists; else every free one of the catalog whose key is set. */
    providers: mappingOf(z.preprocess((value) => value ?? {}, providerFields))
      .nullish()
      .transform((value) => value ?? undefined),
    /** Named lists of lanes, in order of preference. */
    pools: nothingMeansEmpty(
      mappingOf(listOf(text).min(1, { error: 'names no lane: list at least one' })),
    ).optional(),
    /** Other names for pools and lanes. */
    aliases: nothingMeansEmpty(mappingOf(text)).optional(),
  }),
);

/** The file's content once it has the right shape; nothing is looked up or filled in yet. */
export type ConfigFile = z.output<typeof configFile>;
/** One provider as the file has it. */
export type ProviderEntry = z.output<typeof providerFields>;
/** One model as the file has it. */
export type ModelEntry = z.output<typeof modelFields>;

function nothingMeansEmpty<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (value === null ? {} : value), schema);
}

/** `false` for `{ enabled: false }`, and nothing at all for `{}`. */
function shortForms(value: unknown): unknown {
  return value === false ? { enabled: false } : (value ?? {});
}
