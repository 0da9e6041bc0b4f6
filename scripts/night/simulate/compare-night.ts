/** One simulated night: the least possible time, and both ways to match documents with lanes. */
import type { Solve } from '../../../src/core/plan/linear-programme.ts';
import type { LaneShare, LeastPossibleSolver } from '../least-possible.ts';
import type { Night } from '../night.ts';
import { simulateNight, type SimulatedNight } from './simulate-night.ts';

/** The ways, in the order in which they are told. */
export const MATCHINGS = ['planned', 'local'] as const;
export type Matching = (typeof MATCHINGS)[number];

/** What is needed for it. */
export interface ComparisonSetting {
  readonly least: LeastPossibleSolver;
  readonly solve: Solve;
  /** Between two plans. */
  readonly replanMs: number;
}

/** What one way came to. */
export interface SimulatedRun extends SimulatedNight {
  readonly matching: Matching;
  /** Its time by the least possible; with a deadline, the most that is possible by then by what it did. */
  readonly ratio: number;
  /** What simulating it took. */
  readonly realMs: number;
}

/** What came of a night. */
export interface NightComparison {
  readonly shape: string;
  readonly seed: number;
  readonly documents: number;
  /** Documents that fit no lane. */
  readonly fitNowhere: number;
  readonly leastMs: number;
  readonly leastLanes: readonly LaneShare[];
  readonly runs: readonly SimulatedRun[];
}

/** Runs the night both ways. */
export const compareNight = (night: Night, setting: ComparisonSetting): NightComparison => {
  const { leastMs, fitNowhere, lanes } = setting.least.leastPossible(night);
  const mostInTime =
    night.deadlineMs === null ? null : setting.least.mostDocumentsBy(night, night.deadlineMs);
  return {
    shape: night.shape,
    seed: night.seed,
    documents: night.documents.length,
    fitNowhere,
    leastMs,
    leastLanes: lanes,
    runs: MATCHINGS.map((matching) => runOf(night, matching, { ...setting, leastMs, mostInTime })),
  };
};

const runOf = (
  night: Night,
  matching: Matching,
  {
    solve,
    replanMs,
    leastMs,
    mostInTime,
  }: ComparisonSetting & { readonly leastMs: number; readonly mostInTime: number | null },
): SimulatedRun => {
  const startedAtMs = performance.now();
  const simulated = simulateNight(night, { solve, matching, replanMs });
  return {
    ...simulated,
    matching,
    ratio: mostInTime === null ? simulated.durationMs / leastMs : mostInTime / simulated.done,
    realMs: performance.now() - startedAtMs,
  };
};
