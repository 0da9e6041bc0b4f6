/** Forecasts for tests of how they are printed. */
import type { InputForecast, LaneForecast } from '../../../src/app/forecast/input-forecast.ts';
import type { PlanReport } from '../../../src/cli/plan/plan-report.ts';
import { ANY_TERMS } from '../../../src/core/batch-terms.ts';
import { catalogProvider } from '../../../src/providers/catalog.ts';

/** Half past eleven at night on this machine's clock. */
export const NIGHT_MS = new Date(2026, 10, 20, 23, 30, 0).getTime();
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

export const aLaneForecast = (changes: Partial<LaneForecast> = {}): LaneForecast => ({
  laneId: 'groq/gpt-oss-20b',
  lines: 1_000,
  share: 0.25,
  promptTokens: 1_200_000,
  answerTokens: 150_000,
  binding: null,
  firstWait: null,
  state: { kind: 'open' },
  ...changes,
});

/** 4,000 lines that are done in three hours. */
export const aForecast = (changes: Partial<InputForecast> = {}): InputForecast => ({
  atMs: NIGHT_MS,
  lines: 4_000,
  bad: { first: [], count: 0 },
  tooLarge: { lines: 0, largestPromptTokens: 0 },
  unplannableLines: 0,
  paidOnlyLines: 0,
  promptTokens: 4_800_000,
  answerTokens: 640_000,
  answersToldBy: 'bounds',
  untriedLanes: [],
  sizes: [
    { fromTokens: 255, toTokens: 510, count: 1_000 },
    { fromTokens: 511, toTokens: 1_022, count: 3_000 },
  ],
  linesOfOthers: 0,
  finish: {
    kind: 'at',
    atMs: NIGHT_MS + 3 * HOUR_MS + 10 * MINUTE_MS,
    earliestMs: NIGHT_MS + 2 * HOUR_MS + 55 * MINUTE_MS,
    latestMs: NIGHT_MS + 3 * HOUR_MS + 50 * MINUTE_MS,
  },
  lanes: [aLaneForecast()],
  additions: [],
  deadline: null,
  ...changes,
});

export const aReport = (
  changes: Partial<InputForecast> = {},
  around: Partial<PlanReport> = {},
): PlanReport => ({
  inputName: 'docs',
  forecast: aForecast(changes),
  basis: 'configuration',
  batch: null,
  terms: ANY_TERMS,
  hasBudget: false,
  catalogOf: catalogProvider,
  hasPaidLane: false,
  ...around,
});
