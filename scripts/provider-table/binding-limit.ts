/** The one limit of a free provider that decides how much a night gets from it, in words. */
import type { Metric, Window } from '../../src/core/model.ts';
import type { CatalogLimit, CatalogModel, CatalogProvider } from '../../src/providers/catalog-provider.ts';
import { documentsPerDay } from '../../src/providers/documents-per-day.ts';

/** How much, and when it is counted anew. */
export interface LimitInWords {
  readonly amount: string;
  readonly counted: string;
}

interface Bound {
  readonly limit: CatalogLimit;
  readonly isShared: boolean;
  readonly documents: number;
}

/**
 * The limit that binds documents of common size first, on the model that gives the most of them. Where the models'
 * own limits of that kind differ, their range. `≈`: reported or estimated, not documented.
 */
export function bindingLimit(provider: CatalogProvider): LimitInWords {
  const [most] = provider.models
    .map((model) => boundOf(provider, model))
    .toSorted((a, b) => b.documents - a.documents);
  if (most === undefined) throw new Error(`Expected ${provider.id} to have models, got none.`);
  const { limit, isShared } = most;
  const range = isShared ? count(limit.amount) : rangeOf(alike(provider, limit));
  const what = limit.metric === 'units' ? (provider.unitName ?? 'units') : METRIC[limit.metric];
  const where = isShared ? '' : ' per model';
  const doubt = limit.confidence === 'low' ? '≈ ' : '';
  return {
    amount: `${doubt}${range} ${what} ${per(limit.window)}${where}`,
    counted: counted(limit.window),
  };
}

function boundOf({ id, limits }: CatalogProvider, model: CatalogModel): Bound {
  const bounds = [
    ...limits.map((limit) => ({ limit, isShared: true })),
    ...model.limits.map((limit) => ({ limit, isShared: false })),
  ].map((bound) => ({ ...bound, documents: documentsPerDay([bound.limit], model.unitCost) }));
  const [first] = bounds.toSorted((a, b) => a.documents - b.documents);
  if (first === undefined) throw new Error(`Expected ${id}/${model.id} to have a limit, got none.`);
  return first;
}

/** The amounts of all models' limits with that metric and window. */
function alike({ models }: CatalogProvider, { metric, window }: CatalogLimit): readonly number[] {
  const key = JSON.stringify(window);
  return models.flatMap(({ limits }) =>
    limits
      .filter((other) => other.metric === metric && JSON.stringify(other.window) === key)
      .map(({ amount }) => amount),
  );
}

function rangeOf(amounts: readonly number[]): string {
  const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
  return least === most ? count(most) : `${count(least)} to ${count(most)}`;
}

function count(amount: number): string {
  return amount.toLocaleString('en');
}

const METRIC: Readonly<Record<Metric, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  units: 'units',
};

const LENGTHS: readonly (readonly [number, string])[] = [
  [604_800_000, 'week'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

function per(window: Window): string {
  if (window.kind === 'calendar') return `a ${window.unit}`;
  if (window.kind === 'fixed-month') return 'a month';
  const [ms, name] = LENGTHS.find(([length]) => window.perMs % length === 0) ?? [1, 'ms'];
  const times = window.perMs / ms;
  if (times > 1) return `in ${times} ${name}s`;
  return name === 'hour' ? 'an hour' : `a ${name}`;
}

function counted(window: Window): string {
  switch (window.kind) {
    case 'rolling':
      return 'rolling';
    case 'refill':
      return 'refills continuously';
    case 'session':
      return 'from the first call';
    case 'calendar':
      return window.timeZone === 'UTC'
        ? `UTC ${window.unit}`
        : `${window.unit} of ${cityOf(window.timeZone)}`;
    case 'fixed':
    case 'fixed-month':
      return 'from a fixed instant';
  }
}

function cityOf(timeZone: string): string {
  return timeZone.replace(/^.*\//, '').replaceAll('_', ' ');
}
