/** Checks what limits, reserves and unit costs say together. Each check returns its problems. */
import type { Limit, Metric } from '../core/model.ts';
import { declaredModels } from './declared.ts';
import type { DeclaredModel, DeclaredProvider } from './declared.ts';
import { catalogModel } from './draft-provider.ts';
import { formatDuration } from './duration.ts';
import type { PathProblem } from './problems.ts';
import { leavesNothing } from './reserve.ts';

/** A reserve that leaves nothing of a limit, or that no limit counts. */
export function checkReserve(provider: DeclaredProvider): readonly PathProblem[] {
  const { reserve } = provider.entry;
  if (reserve?.kind !== 'amounts') return [];
  const path = ['providers', provider.id, 'reserve'];
  const limits = scopedLimits(provider);
  const emptied = new Set(
    limits.filter(({ limit }) => leavesNothing(limit, reserve)).map(({ limit }) => limitText(limit)),
  );
  const counted = new Set<string>(limits.map(({ limit }) => limit.metric));
  return [
    ...[...emptied].map((text) => {
      const scopes = limits.filter(({ limit }) => limitText(limit) === text).map(({ scope }) => scope);
      return {
        path,
        message: `leaves nothing of ${text} of ${several(scopes)}; keep less, or a share such as 20%`,
      };
    }),
    ...Object.keys(reserve.amounts)
      .filter((metric) => !counted.has(metric))
      .map((metric) => ({
        path,
        message: `keeps nothing back: no limit of \`${provider.id}\` counts ${metric}`,
      })),
  ];
}

/** Lanes under a limit of `units` that lack the cost of theirs. */
export function checkUnitCosts(provider: DeclaredProvider): readonly PathProblem[] {
  const path = ['providers', provider.id];
  const without = onModels(provider).filter(
    (model) => countsUnits(provider, model) && unitCostOf(provider, model) === undefined,
  );
  const asWritten = without.flatMap(({ key }) =>
    key === undefined ? [] : [{ path: [...path, 'models', key, 'unitCost'], message: UNIT_COST_MISSING }],
  );
  const shipped = without.flatMap(({ id, key }) => (key === undefined ? [id] : []));
  if (shipped.length === 0) return asWritten;
  const message = `counts units, and no \`unitCost\` is known for ${several(shipped)}: list each under \`models\` with one, or as \`false\``;
  return [...asWritten, { path: [...path, 'limits'], message }];
}

const UNIT_COST_MISSING =
  'missing; a limit counts units: say what a thousand tokens cost of them, such as { input: 4.1, output: 34.9 }';

function countsUnits({ entry, catalog }: DeclaredProvider, model: DeclaredModel): boolean {
  const shared = entry.limits ?? catalog?.limits ?? [];
  return [...shared, ...ownLimits({ entry, catalog }, model)].some(({ metric }) => metric === 'units');
}

function unitCostOf({ catalog }: DeclaredProvider, { id, entry }: DeclaredModel) {
  return entry.unitCost ?? catalogModel({ catalog }, id)?.unitCost;
}

function onModels(provider: DeclaredProvider): readonly DeclaredModel[] {
  return declaredModels(provider).filter(({ entry }) => entry.enabled !== false);
}

interface ScopedLimit {
  readonly scope: string;
  readonly limit: Limit;
}

function scopedLimits(provider: DeclaredProvider): readonly ScopedLimit[] {
  const { id, entry, catalog } = provider;
  return [
    ...(entry.limits ?? catalog?.limits ?? []).map((limit) => ({ scope: `all of ${id}`, limit })),
    ...onModels(provider).flatMap((model) =>
      ownLimits(provider, model).map((limit) => ({ scope: `${id}/${model.id}`, limit })),
    ),
  ];
}

function ownLimits({ catalog }: Pick<DeclaredProvider, 'catalog' | 'entry'>, { id, entry }: DeclaredModel) {
  return entry.limits ?? catalogModel({ catalog }, id)?.limits ?? [];
}

/** `30 requests per 1m`: as a person would write it. */
function limitText({ metric, amount, window }: Limit): string {
  return `${amount} ${METRIC_WORD[metric]} per ${'perMs' in window ? formatDuration(window.perMs) : unitOf(window)}`;
}

function unitOf(window: Exclude<Limit['window'], { readonly perMs: number }>): string {
  return window.kind === 'calendar' ? window.unit : 'month';
}

const METRIC_WORD: Readonly<Record<Metric, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  units: 'units',
};

function several([first = '', ...rest]: readonly string[]): string {
  return rest.length === 0 ? first : `${first} and ${rest.length} more`;
}
