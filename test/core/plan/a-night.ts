/** Situations for tests of planning, and the real solver. */
import { openSolver } from '../../../src/adapters/highs/open-solver.ts';
import type { Solve } from '../../../src/core/plan/linear-programme.ts';
import type {
  BacklogCell,
  PlanLane,
  PlanLimit,
  PlanRoute,
  Situation,
} from '../../../src/core/plan/situation.ts';
import { NOW_MS } from '../../app/fakes.ts';

/** HiGHS itself; one for all tests of a file. */
export const solver: Solve = await openSolver();

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** A lane that is open, with calls of a second, 4 at once. */
export const aPlanLane = (id: string, changes: Partial<PlanLane> = {}): PlanLane => ({
  id,
  providerId: id.split('/')[0] ?? id,
  slots: 4,
  callMs: 1_000,
  failureShare: 0,
  tokenRatio: 1,
  tokenRatioAtMost: 1,
  contextTokens: 100_000,
  maxOutputTokens: 8_192,
  opensAtMs: -Infinity,
  ...changes,
});

/** A limit of which nothing is used. */
export const aPlanLimit = (
  scope: string,
  amount: number,
  window: PlanLimit['window'],
  changes: Partial<PlanLimit> = {},
): PlanLimit => ({
  scope,
  metric: 'requests',
  window,
  amount,
  used: 0,
  freeings: [],
  marginMs: 0,
  ...changes,
});

export const aRoute = (changes: Partial<PlanRoute> = {}): PlanRoute => ({
  id: 1,
  batchId: 1,
  priority: 0,
  laneIds: ['alpha/small'],
  ...changes,
});

/** So many requests of one size. */
export const aCell = (
  count: number,
  promptTokens: number,
  changes: Partial<BacklogCell> = {},
): BacklogCell => ({
  routeId: 1,
  outputIsAsked: false,
  capTokens: 200,
  fromTokens: promptTokens,
  toTokens: promptTokens,
  largestTokens: promptTokens,
  count,
  promptTokens: count * promptTokens,
  ...changes,
});

/** One lane, and nothing to do. */
export const aSituation = (changes: Partial<Situation> = {}): Situation => ({
  nowMs: NOW_MS,
  cells: [],
  routes: [aRoute()],
  answers: [],
  lanes: [aPlanLane('alpha/small')],
  providers: [{ id: 'alpha', concurrency: null }],
  limits: [],
  ...changes,
});
