/** Lays the user's entry over the catalog's: a provider as it will be once the environment lets it on. */
import { DEFAULT_TOKEN_RATIO, type Lane, type Limit, type Provider } from '../core/model.ts';
import type { CatalogModel, CatalogProvider } from '../providers/catalog-provider.ts';
import { CLOUD_TIMEOUT_MS, LOCAL_TIMEOUT_MS } from '../providers/defaults.ts';
import { declaredModels } from './declared.ts';
import type { DeclaredModel, DeclaredProvider } from './declared.ts';
import { lanePrice } from './lane-prices.ts';
import { lessReserve } from './reserve.ts';

/** The provider, with the placeholders of its address still in it. Call it only when `checkEntries` found nothing. */
export function draftProvider(declared: DeclaredProvider): Provider {
  const { id, entry, catalog } = declared;
  const apiKeyEnv = entry.apiKeyEnv ?? catalog?.apiKeyEnv;
  const regions = regionsOf(declared);
  const provider: Provider = {
    id,
    baseUrl: entry.baseUrl ?? catalog?.baseUrl ?? '',
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    tier: entry.tier ?? catalog?.tier ?? 'paid',
    ...(catalog?.kind === 'gateway' ? { passesOn: true as const } : {}),
    trainsOnData: entry.trainsOnData === undefined ? (catalog?.trainsOnData ?? null) : entry.trainsOnData,
    ...(regions === undefined ? {} : { regions }),
    dialect: entry.dialect ?? catalog?.dialect ?? 'openai',
    concurrency: entry.concurrency === undefined ? (catalog?.concurrency?.calls ?? null) : entry.concurrency,
    limits: (entry.limits ?? catalog?.limits ?? []).map((limit) => lessReserve(limit, entry.reserve)),
    refusesParameters: entry.refusesParameters ?? catalog?.refusesParameters ?? [],
    lanes: [],
  };
  const models = declaredModels(declared).filter((model) => model.entry.enabled !== false);
  return { ...provider, lanes: models.map((model) => draftLane(declared, provider, model)) };
}

/** The catalog's regions are those of its own address. */
function regionsOf({ entry, catalog }: DeclaredProvider): readonly string[] | undefined {
  if (entry.region !== undefined) return entry.region;
  return entry.baseUrl === undefined ? (catalog?.regions ?? undefined) : undefined;
}

function draftLane(declared: DeclaredProvider, provider: Provider, declaredModel: DeclaredModel): Lane {
  const { id, entry } = declaredModel;
  const known = catalogModel(declared, id);
  const { reserve, timeout } = declared.entry;
  const limits = (entry.limits ?? known?.limits ?? []).map((limit) => lessReserve(limit, reserve));
  const unitCost = entry.unitCost ?? known?.unitCost;
  const vendorModel = entry.model ?? known?.model ?? id;
  const price = lanePrice(declared, declaredModel, { tier: provider.tier, vendorModel });
  return {
    id: `${provider.id}/${id}`,
    providerId: provider.id,
    model: vendorModel,
    contextTokens: entry.contextTokens ?? known?.contextTokens ?? 0,
    maxOutputTokens: entry.maxOutputTokens ?? known?.maxOutputTokens ?? 0,
    concurrency: entry.concurrency ?? known?.concurrency?.calls ?? defaultConcurrency(provider, limits),
    timeoutMs: entry.timeout ?? timeout ?? defaultTimeoutMs(declared, provider),
    limits,
    ...(unitCost === undefined ? {} : { unitCost }),
    tokenRatio: entry.tokenRatio ?? known?.tokenRatio ?? DEFAULT_TOKEN_RATIO,
    ...(price === undefined ? {} : { price }),
  };
}

/** The catalog's figures for a declared model, if it knows the model. */
export function catalogModel(
  { catalog }: { readonly catalog: CatalogProvider | undefined },
  id: string,
): CatalogModel | undefined {
  return catalog?.models.find((model) => model.id === id);
}

function defaultTimeoutMs({ catalog }: DeclaredProvider, { tier }: Provider): number {
  return catalog?.timeoutMs ?? (tier === 'local' ? LOCAL_TIMEOUT_MS : CLOUD_TIMEOUT_MS);
}

/** Enough calls under way to use 30 requests a minute at 15 s each; more only holds sockets open. */
const ENOUGH_CALLS = 8;
/** A local server answers one call as fast as its hardware allows; a second would wait inside it, unseen. */
const LOCAL_CALLS = 1;
const MINUTE_MS = 60_000;

function defaultConcurrency({ tier, limits: shared }: Provider, limits: readonly Limit[]): number {
  if (tier === 'local') return LOCAL_CALLS;
  return Math.max(1, Math.min(ENOUGH_CALLS, ...[...shared, ...limits].flatMap(requestsPerMinute)));
}

/** Calls per minute of a limit on requests whose window is a minute or less; nothing for others. */
function requestsPerMinute({ metric, amount, window }: Limit): readonly number[] {
  if (metric !== 'requests' || !('perMs' in window) || window.perMs > MINUTE_MS) return [];
  return [Math.floor((amount * MINUTE_MS) / window.perMs)];
}
