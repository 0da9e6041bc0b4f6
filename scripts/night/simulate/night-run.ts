/** A simulated night under way: everything that changes in its course. */
import type { Solve } from '../../../src/core/plan/linear-programme.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { type Random01, seededRandom } from '../../../src/simulator/clock.ts';
import { faultBook } from '../../../src/simulator/faults/fault.ts';
import type { Night } from '../night.ts';
import { type Backlog, openBacklog } from './backlog.ts';
import { type EventQueue, openEventQueue } from './event-queue.ts';
import type { IdleLane } from './idleness.ts';
import { type LaneState, laneStatesOf } from './lane-state.ts';
import { openQuotaBook, type QuotaBook } from './quota-book.ts';
import { ALL_LANES, openRouteBook, type RouteBook } from './route-book.ts';

/** How a simulated night is run. */
export interface SimulationOptions {
  readonly solve: Solve;
  /** `local`: every lane by itself takes what suits it best, as where there is no plan. */
  readonly matching: 'planned' | 'local';
  /** Between two plans, unless something happens or a first answer is awaited. */
  readonly replanMs: number;
}

/** What was said when, of the night's end; durations from its beginning, `null` where nothing was said. */
export interface NightForecasts {
  readonly atStart: number | null;
  /** By the first plan after half of the documents. */
  readonly atHalf: number | null;
  readonly halfAtMs: number;
}

/** The night as it stands. */
export interface NightRun {
  readonly night: Night;
  readonly options: SimulationOptions;
  readonly lanes: readonly LaneState[];
  readonly quotas: QuotaBook;
  readonly routes: RouteBook;
  readonly backlog: Backlog;
  readonly events: EventQueue;
  readonly faults: ReturnType<typeof faultBook>;
  readonly random01: Random01;
  /** Of answers by band of prompts: how many, and their tokens. */
  readonly answers: Map<number, { readonly answers: number; readonly tokens: number }>;
  /** Times each document was answered, by its id. */
  readonly answered: Map<string, number>;
  /** From one plan to the next. */
  readonly idle: IdleLane[];
  idleSincePlan: readonly IdleLane[];
  nowMs: number;
  done: number;
  rejected: number;
  plans: number;
  plan: Plan | null;
  planIsStale: boolean;
  /** From the latest plan to the next, unless something happens. */
  nextPlanMs: number;
  lastAnswerAtMs: number;
  forecasts: NightForecasts;
}

/** The night before its first event: everything waits. */
export const openNightRun = (night: Night, options: SimulationOptions): NightRun => {
  const random01 = seededRandom(night.seed * 7_919 + 1);
  const lanes = laneStatesOf(night);
  const backlog = openBacklog();
  for (const document of night.documents) backlog.add({ document, routeId: ALL_LANES, freeAtMs: null });
  return {
    night,
    options,
    lanes,
    quotas: openQuotaBook(lanes.map(({ provider }) => provider)),
    routes: openRouteBook(),
    backlog,
    events: openEventQueue(),
    faults: faultBook(night.faults, random01),
    random01,
    answers: new Map(),
    answered: new Map(),
    idle: [],
    idleSincePlan: [],
    nowMs: night.startsAtMs,
    done: 0,
    rejected: 0,
    plans: 0,
    plan: null,
    planIsStale: true,
    nextPlanMs: options.replanMs,
    lastAnswerAtMs: night.startsAtMs,
    forecasts: { atStart: null, atHalf: null, halfAtMs: 0 },
  };
};
