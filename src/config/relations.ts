/** Checks how the values of a file relate to each other and to the catalog. Each check returns its problems. */
import { CATALOG } from '../providers/catalog.ts';
import type { RetiredProvider } from '../providers/catalog-provider.ts';
import { retiredProvider } from '../providers/retired.ts';
import { checkReserve, checkUnitCosts } from './check-limits.ts';
import { declaredModels } from './declared.ts';
import type { DeclaredModel, DeclaredProvider } from './declared.ts';
import { catalogModel } from './draft-provider.ts';
import { ONE_ACCOUNT, candidates, isGiven } from './key-variables.ts';
import { checkPrices } from './lane-prices.ts';
import { suggestion } from './nearest.ts';
import type { DocumentPath, PathProblem } from './problems.ts';

/** Whatever each provider's entry lacks or contradicts by itself. */
export function checkEntries(providers: readonly DeclaredProvider[]): readonly PathProblem[] {
  return providers.filter(({ entry }) => entry.enabled !== false).flatMap(checkEntry);
}

function checkEntry(provider: DeclaredProvider): readonly PathProblem[] {
  const retired = retiredProvider(provider.id);
  if (retired !== undefined) return [{ path: ['providers', provider.id], message: retirement(retired) }];
  return [
    ...checkName(provider),
    ...(provider.catalog === undefined ? checkOwnProvider(provider) : []),
    ...checkHasModels(provider),
    ...checkModelNamedTwice(provider),
    ...declaredModels(provider).flatMap((model) => checkModel(provider, model)),
    ...checkReserve(provider),
    ...checkUnitCosts(provider),
    ...checkPrices(provider),
  ];
}

/** Since when a provider is gone, why, and the way out. */
export function retirement({ id, retiredOn, reason }: RetiredProvider): string {
  const since = retiredOn === null ? '' : ` since ${retiredOn}`;
  return `\`${id}\` is retired${since}: ${reason} Take it out.`;
}

function checkName({ id }: DeclaredProvider): readonly PathProblem[] {
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) return [];
  return [{ path: ['providers', id], message: 'expected a name of a-z, 0-9 and single hyphens inside' }];
}

function checkOwnProvider({ id, entry }: DeclaredProvider): readonly PathProblem[] {
  if (entry.baseUrl === undefined) return [unknownProvider(id)];
  if (entry.tier !== undefined) return [];
  const message = 'missing; expected `free`, `trial`, `paid` or `local`: it says what a call may cost';
  return [{ path: ['providers', id, 'tier'], message }];
}

function unknownProvider(id: string): PathProblem {
  const hint = suggestion(
    id,
    CATALOG.map((provider) => provider.id),
  );
  const way = 'a provider of your own needs `baseUrl`, `tier` and `models`';
  const message = `missing: \`${id}\` is not in the catalog (${hint}); ${way}`;
  return { path: ['providers', id, 'baseUrl'], message };
}

function checkHasModels(provider: DeclaredProvider): readonly PathProblem[] {
  if (declaredModels(provider).length > 0) return [];
  if (provider.catalog === undefined && provider.entry.baseUrl === undefined) return [];
  const message = 'missing; list each model with its `contextTokens` and `maxOutputTokens`';
  return [{ path: ['providers', provider.id, 'models'], message }];
}

function checkModelNamedTwice(provider: DeclaredProvider): readonly PathProblem[] {
  const used = new Set(declaredModels(provider).map(({ key }) => key));
  const twice = Object.keys(provider.entry.models ?? {}).filter((key) => !used.has(key));
  return twice.map((key) => ({
    path: ['providers', provider.id, 'models', key],
    message: 'the same model is listed a second time under another of its names',
  }));
}

function checkModel(provider: DeclaredProvider, { id, key, entry }: DeclaredModel): readonly PathProblem[] {
  if (key === undefined || entry.enabled === false) return [];
  const path: DocumentPath = ['providers', provider.id, 'models', key];
  const known = catalogModel(provider, id);
  const contextTokens = entry.contextTokens ?? known?.contextTokens;
  const maxOutputTokens = entry.maxOutputTokens ?? known?.maxOutputTokens;
  if (contextTokens === undefined || maxOutputTokens === undefined) {
    return missingSizes(path, { contextTokens, maxOutputTokens });
  }
  if (maxOutputTokens <= contextTokens) return [];
  const message = `expected at most contextTokens (${contextTokens}), got ${maxOutputTokens}`;
  return [{ path: [...path, 'maxOutputTokens'], message }];
}

function missingSizes(path: DocumentPath, sizes: Readonly<Record<string, number | undefined>>) {
  return Object.entries(sizes)
    .filter(([, tokens]) => tokens === undefined)
    .map(([field]) => ({ path: [...path, field], message: 'missing; the catalog does not know this model' }));
}

/** Two entries for one vendor's free tier: the second is refused. */
export function checkOneAccountEach(providers: readonly DeclaredProvider[]): readonly PathProblem[] {
  const firstOf = new Map<string, string>();
  return providers.flatMap(({ id, entry, catalog }) => {
    const url = entry.baseUrl ?? catalog?.baseUrl;
    if (entry.enabled === false || url === undefined) return [];
    if (!isGiven(entry.tier ?? catalog?.tier)) return [];
    const first = firstOf.get(vendorOf(url));
    if (first === undefined) firstOf.set(vendorOf(url), id);
    if (first === undefined) return [];
    return [{ path: ['providers', id], message: `the same free provider as \`${first}\`: ${ONE_ACCOUNT}` }];
  });
}

/** The catalog's vendor at that host, else the address itself, which tells two servers of one host apart. */
function vendorOf(baseUrl: string): string {
  const host = hostOf(baseUrl);
  const vendor =
    host === undefined
      ? undefined
      : CATALOG.find(({ tier, baseUrl: known }) => tier !== 'local' && hostOf(known) === host);
  return vendor === undefined ? baseUrl.toLowerCase() : `vendor ${vendor.id}`;
}

function hostOf(baseUrl: string): string | undefined {
  return URL.parse(baseUrl)?.host;
}

/** A key's variable inside an address would show the key wherever the address is shown. */
export function checkKeysStayOutOfUrls(providers: readonly DeclaredProvider[]): readonly PathProblem[] {
  const keyVariables = new Set<string | undefined>(providers.flatMap(candidates));
  return providers.flatMap(({ id, entry }) => {
    const inUrl = [...(entry.baseUrl ?? '').matchAll(/\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name]) => name);
    if (!inUrl.some((name) => keyVariables.has(name))) return [];
    return [{ path: ['providers', id, 'baseUrl'], message: 'names a key: keys go into `apiKeyEnv` only' }];
  });
}
