/** What `plan` tells: the forecast, and what a person needs beside it. */
import type { InputForecast } from '../../app/forecast/input-forecast.ts';
import type { BatchTerms } from '../../core/batch-terms.ts';
import type { CatalogProvider } from '../../providers/catalog-provider.ts';

/** A forecast, and what is around it. */
export interface PlanReport {
  readonly inputName: string;
  readonly forecast: InputForecast;
  /** `catalog`: nothing is on here, and the forecast is of all free tiers of the catalog together. */
  readonly basis: 'configuration' | 'catalog';
  /** The batch of this very input, task and policy that the record knows; `null`: it was not submitted yet. */
  readonly batch: KnownBatch | null;
  /** What it would go by. */
  readonly terms: BatchTerms;
  /** Whether it may pay: the forecast is of what costs nothing, and has to say so. */
  readonly hasBudget: boolean;
  /** The catalog's word on those who would help. */
  readonly catalogOf: (providerId: string) => CatalogProvider | undefined;
  /** Whether some paid lane is on. */
  readonly hasPaidLane: boolean;
}

/** What the record knows of an input. */
export interface KnownBatch {
  readonly id: number;
  readonly name: string;
  readonly linesDone: number;
  /** `at-work`: the forecast is of the rest. Otherwise it is of the whole file; one that is over would run with `--fresh`. */
  readonly standing: 'at-work' | 'outside-hours' | 'paused' | 'over';
}

/** How to have a provider on: its key, or a line in the configuration. */
export function howToAdd({ id, howToStart, apiKeyEnv, baseUrl }: CatalogProvider): string {
  if (apiKeyEnv === undefined)
    return `It needs no key: write \`${id}: {}\` under \`providers\` in nightshift.yaml.`;
  const others = [...baseUrl.matchAll(/\{([A-Z][A-Z0-9_]*)\}/gu)].map(([, name = '']) => name);
  return `${howToStart} Then: export ${[apiKeyEnv, ...others].map((name) => `${name}=...`).join(' ')}`;
}
