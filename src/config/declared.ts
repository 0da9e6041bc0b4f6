/** What the file declares, next to what the catalog knows of it; and the names its lanes go by. */
import { CATALOG, catalogProvider } from '../providers/catalog.ts';
import type { CatalogProvider } from '../providers/catalog-provider.ts';
import { isOnByItself } from './not-named.ts';
import type { ConfigFile, ModelEntry, ProviderEntry } from './schema.ts';

/** One provider: the user's entry and, for a vendor the catalog knows, the catalog's. */
export interface DeclaredProvider {
  readonly id: string;
  readonly entry: ProviderEntry;
  readonly catalog: CatalogProvider | undefined;
}

/** The providers the file names; without a `providers` section, every one of the catalog that is on by itself. */
export function declaredProviders(file: ConfigFile): readonly DeclaredProvider[] {
  if (file.providers !== undefined) {
    return Object.entries(file.providers).map(([id, entry]) => ({ id, entry, catalog: catalogProvider(id) }));
  }
  return CATALOG.filter(isOnByItself).map((catalog) => ({
    id: catalog.id,
    entry: {},
    catalog,
  }));
}

/** A model's entry under the key the user gave it. */
export interface DeclaredModel {
  readonly id: string;
  /** The user's key for it; `undefined` where only the catalog has it. */
  readonly key: string | undefined;
  readonly entry: ModelEntry;
}

/** The models of a provider: the catalog's with the user's changes, then the user's own. */
export function declaredModels({ entry, catalog }: DeclaredProvider): readonly DeclaredModel[] {
  const models = new Map<string, DeclaredModel>();
  for (const { id } of catalog?.models ?? []) models.set(id, { id, key: undefined, entry: {} });
  for (const [key, model] of Object.entries(entry.models ?? {})) {
    const id = modelIdOf(catalog, key);
    models.set(id, { id, key, entry: model });
  }
  return [...models.values()];
}

/** The short name of a model that the user named either way: `openai/gpt-oss-20b` is groq's `gpt-oss-20b`. */
export function modelIdOf(catalog: CatalogProvider | undefined, key: string): string {
  return catalog?.models.find(({ id, model }) => id === key || model === key)?.id ?? key;
}

/** Every name of every declared lane, with the lane's id: `groq/openai/gpt-oss-20b` is `groq/gpt-oss-20b`. */
export function laneNames(providers: readonly DeclaredProvider[]): ReadonlyMap<string, string> {
  return new Map(providers.flatMap(namesOfLanes));
}

function namesOfLanes(provider: DeclaredProvider): readonly (readonly [string, string])[] {
  return declaredModels(provider).flatMap(({ id, key, entry }) => {
    const laneId = `${provider.id}/${id}`;
    const vendorModel = entry.model ?? provider.catalog?.models.find((model) => model.id === id)?.model;
    const names = [key, vendorModel, id].filter((name) => name !== undefined);
    return names.map((name) => [`${provider.id}/${name}`, laneId] as const);
  });
}
