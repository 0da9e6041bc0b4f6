/**
 * A night without a network: the product's planner, wish lists and quota arithmetic against the simulator's own
 * windows, as a discrete-event simulation. Hours take seconds. What it leaves out is what costs real time: queues,
 * HTTP, the record; and what learning does. So it says what planning is worth, and the benchmark says what is left of that.
 */
import type { Night } from '../night.ts';
import { grantAll } from './granting.ts';
import { type IdleLane, idleLanes } from './idleness.ts';
import { type NightForecasts, type NightRun, openNightRun, type SimulationOptions } from './night-run.ts';
import { replan } from './planning.ts';

/** What came of a simulated night. */
export interface SimulatedNight {
  /** From the beginning to the last answer. */
  readonly durationMs: number;
  readonly done: number;
  /** The most answers that one document got; 1 is right. */
  readonly mostAnswers: number;
  readonly calls: number;
  /** Calls that a provider refused for its quota. */
  readonly rejected: number;
  readonly plans: number;
  readonly forecastMs: NightForecasts;
  /** Lanes that idled from one plan to the next, and need not have. */
  readonly idle: readonly IdleLane[];
  readonly lanes: readonly SimulatedLane[];
}

/** What a lane did. */
export interface SimulatedLane {
  readonly laneId: string;
  readonly calls: number;
  /** Of answered calls, prompt and answer together. */
  readonly tokens: number;
  /** Its last answer, from the beginning. */
  readonly lastMs: number;
}

/** A night in which nothing was answered for this long has nothing more that any lane will take. */
const GIVE_UP_MS = 2 * 86_400_000;

/** Runs a night to its end or its deadline, or until nothing more can be done. Same night, same result. */
export const simulateNight = (night: Night, options: SimulationOptions): SimulatedNight => {
  const run = openNightRun(night, options);
  const endsAtMs = night.startsAtMs + (night.deadlineMs ?? Infinity);
  const isOver = (): boolean =>
    run.done >= night.documents.length || run.nowMs - run.lastAnswerAtMs > GIVE_UP_MS;
  planAndGrant(run);
  planEvery(run, isOver);
  for (
    let event = run.events.pop();
    event !== null && event.atMs <= endsAtMs && !isOver();
    event = run.events.pop()
  ) {
    run.nowMs = Math.max(run.nowMs, event.atMs);
    event.run();
    if (run.planIsStale && options.matching === 'planned') planAndGrant(run);
  }
  return resultOf(run);
};

const planAndGrant = (run: NightRun): void => {
  noteIdleness(run);
  replan(run);
  grantAll(run);
  run.idleSincePlan = idleLanes(run);
};

/** A lane that idled after a plan and does so still at the next one, with the same document. */
const noteIdleness = (run: NightRun): void => {
  if (run.idleSincePlan.length === 0) return;
  const now = idleLanes(run);
  const isStill = (lane: IdleLane): boolean =>
    now.some(({ laneId, documentId }) => laneId === lane.laneId && documentId === lane.documentId);
  run.idle.push(...run.idleSincePlan.filter(isStill));
};

const planEvery = (run: NightRun, isOver: () => boolean): void => {
  if (isOver()) return;
  run.events.push({
    atMs: run.nowMs + run.nextPlanMs,
    run: () => {
      planAndGrant(run);
      planEvery(run, isOver);
    },
  });
};

const resultOf = (run: NightRun): SimulatedNight => ({
  durationMs: run.lastAnswerAtMs - run.night.startsAtMs,
  done: run.done,
  mostAnswers: Math.max(0, ...run.answered.values()),
  calls: run.lanes.reduce((sum, { calls }) => sum + calls, 0),
  rejected: run.rejected,
  plans: run.plans,
  forecastMs: run.forecasts,
  idle: run.idle,
  lanes: run.lanes.map(({ lane, calls, tokens, lastMs }) => ({ laneId: lane.id, calls, tokens, lastMs })),
});
