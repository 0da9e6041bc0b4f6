/** Entries without models: providers that are on only when the user lists models, as there are too many, or they cost money. */
import type { CatalogProvider } from './catalog-provider.ts';
import { CLOUD_TIMEOUT_MS } from './defaults.ts';

type Given = 'id' | 'name' | 'tier' | 'baseUrl' | 'apiKeyEnv' | 'howToStart' | 'terms' | 'sources';

/** What such an entry says itself; everything else has a default. */
export type ListedByUser = Required<Pick<CatalogProvider, Given>> & Partial<Omit<CatalogProvider, 'models'>>;

/** The full entry: a vendor that speaks plainly, of whose rates and data policy nothing is known. */
export function listedByUser(entry: ListedByUser): CatalogProvider {
  return {
    kind: 'vendor',
    status: 'active',
    trainsOnData: null,
    dataNote: 'Not known.',
    regions: null,
    dialect: 'openai',
    refusesParameters: [],
    keyCheck: null,
    limits: [],
    timeoutMs: CLOUD_TIMEOUT_MS,
    notes: [],
    ...entry,
    models: [],
  };
}
