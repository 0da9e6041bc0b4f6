/** The pools and aliases the catalog ships, derived from what its entries say their models are good for. */
import type { Pool } from '../core/model.ts';
import type { CatalogModel, CatalogProvider, Confidence, Purpose } from './catalog-provider.ts';
import { documentsPerDay } from './documents-per-day.ts';

const DOUBT: Readonly<Record<Confidence, number>> = { high: 0, medium: 1, low: 2 };

interface RatedLane {
  readonly id: string;
  readonly isTrial: boolean;
  readonly documentsPerDay: number;
  /** Of its least certain figure. */
  readonly doubt: number;
  readonly suits: readonly Purpose[];
}

/**
 * `small` and `large`, each with every model that suits it. Order: what gives more documents a day by its limits
 * comes first, then what is known better, then the id; trials close the list, whose credit no limit tells. The pools
 * `all` and `private` depend on what is on and on what the user says of it: the configuration makes them.
 */
export function poolsOf(catalog: readonly CatalogProvider[]): readonly Pool[] {
  const lanes = ratedLanes(catalog);
  return (['small', 'large'] as const).map((name) => ({
    name,
    laneIds: lanes.filter(({ suits }) => suits.includes(name)).map(({ id }) => id),
  }));
}

/** Every lane of the catalog in the same order. */
export function lanesByYield(catalog: readonly CatalogProvider[]): readonly string[] {
  return ratedLanes(catalog).map(({ id }) => id);
}

function ratedLanes(catalog: readonly CatalogProvider[]): readonly RatedLane[] {
  return catalog
    .flatMap((provider) => provider.models.map((model) => rate(provider, model)))
    .toSorted(byYield);
}

function rate(provider: CatalogProvider, model: CatalogModel): RatedLane {
  const figures = [model, ...model.limits, ...provider.limits];
  return {
    id: `${provider.id}/${model.id}`,
    isTrial: provider.tier === 'trial',
    documentsPerDay: documentsPerDay([...provider.limits, ...model.limits], model.unitCost),
    doubt: Math.max(...figures.map(({ confidence }) => DOUBT[confidence])),
    suits: model.suits,
  };
}

function byYield(a: RatedLane, b: RatedLane): number {
  if (a.isTrial !== b.isTrial) return a.isTrial ? 1 : -1;
  if (a.documentsPerDay !== b.documentsPerDay) return a.documentsPerDay > b.documentsPerDay ? -1 : 1;
  return a.doubt - b.doubt || (a.id < b.id ? -1 : 1);
}

/** Names that batch files commonly ask for, and the pool that stands in. */
export const CATALOG_ALIASES: Readonly<Record<string, Purpose>> = {
  'gpt-3.5-turbo': 'small',
  'gpt-4o-mini': 'small',
  'gpt-4.1-mini': 'small',
  'gpt-4.1-nano': 'small',
  'gpt-5-mini': 'small',
  'gpt-5-nano': 'small',
  'gpt-4-turbo': 'large',
  'gpt-4o': 'large',
  'gpt-4.1': 'large',
  'gpt-5': 'large',
  'o4-mini': 'large',
};
