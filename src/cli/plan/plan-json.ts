/** A forecast for programs. Instants and durations are milliseconds; counts of lines may have a fraction where they are planned. */
import type { AdditionForecast, InputForecast } from '../../app/forecast/input-forecast.ts';
import { limitPhrase } from './limit-phrase.ts';
import { howToAdd, type PlanReport } from './plan-report.ts';

/** An addition with how to get it. */
export interface AdditionJson extends AdditionForecast {
  readonly name: string;
  /** The variable of its key; `null` where it needs none. */
  readonly apiKeyEnv: string | null;
  readonly howToAdd: string;
}

/** What `plan --json` prints. */
export interface PlanJson extends Omit<InputForecast, 'additions'> {
  readonly input: string;
  /** `catalog`: nothing is on here, and the forecast is of all free tiers of the catalog together. */
  readonly basis: PlanReport['basis'];
  /** What the record knows of this input; `null`: it was not submitted yet. */
  readonly batch: PlanReport['batch'];
  readonly terms: PlanReport['terms'];
  /** Whether some paid lane is on. They are left out of all this. */
  readonly hasPaidLane: boolean;
  readonly lanes: readonly (InputForecast['lanes'][number] & { readonly boundBy: string | null })[];
  readonly additions: readonly AdditionJson[];
}

/** The report as one value. */
export function planJson(report: PlanReport): PlanJson {
  const { inputName, forecast, basis, batch, terms, hasPaidLane, catalogOf } = report;
  return {
    input: inputName,
    basis,
    batch,
    terms,
    hasPaidLane,
    ...forecast,
    lanes: forecast.lanes.map((lane) => ({
      ...lane,
      boundBy: lane.binding === null ? null : limitPhrase(lane.binding),
    })),
    additions: forecast.additions.flatMap((addition) => {
      const catalog = catalogOf(addition.providerId);
      if (catalog === undefined) return [];
      const { name, apiKeyEnv } = catalog;
      return [{ ...addition, name, apiKeyEnv: apiKeyEnv ?? null, howToAdd: howToAdd(catalog) }];
    }),
  };
}
