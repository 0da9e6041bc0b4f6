/**
 * When a lane first has nothing left of a long window, if it is used as fast as its short windows and its slots let it:
 * what a person would see of the plan first. What frees meanwhile is left out, so that the true instant is this or later.
 */
import { SHORT_WINDOW_MS, windowMs } from '../quota/window.ts';
import { expectedMs, limitsOf, plannedUse } from './demand.ts';
import type { Plan } from './plan.ts';
import { hasResets, resetsOf } from './segments.ts';
import type { PlanLane, PlanLimit, Situation } from './situation.ts';

/** A lane that has to wait. */
export interface FirstWait {
  /** What is used up then. */
  readonly limit: PlanLimit;
  readonly atMs: number;
  /** When there is some of it again; `null` where it trickles in from then on. */
  readonly untilMs: number | null;
}

/** The first wait of a lane for a window of more than some minutes; `null` where its share of the plan needs none. */
export const firstWaitOf = (laneId: string, plan: Plan, situation: Situation): FirstWait | null => {
  const lane = situation.lanes.find(({ id }) => id === laneId);
  const planned = requestsOf(plan, laneId);
  if (lane === undefined || planned === 0) return null;
  const own = limitsOf(lane, situation.limits)
    .map((limit) => ({ limit, ...useOf(limit, lane, plan, situation) }))
    .filter(({ perRequest }) => perRequest > 0);
  const requestsPerMs = Math.min(
    lane.slots / expectedMs(lane),
    ...own
      .filter(isShort)
      .map(({ limit, part, perRequest }) => (limit.amount * part) / windowMs(limit.window) / perRequest),
  );
  const startMs = Math.max(situation.nowMs, lane.opensAtMs);
  const waits = own
    .filter((metered) => !isShort(metered))
    .flatMap((metered) => waitFor(metered, { planned, requestsPerMs, startMs, nowMs: situation.nowMs }));
  return waits.toSorted((a, b) => a.atMs - b.atMs)[0] ?? null;
};

/** Requests planned on a lane, now and later. */
export const requestsOf = ({ lanes }: Plan, laneId: string): number =>
  (lanes.find((lane) => lane.laneId === laneId)?.shares ?? []).reduce(
    (sum, { now, later }) => sum + now + later,
    0,
  );

interface Metered {
  readonly limit: PlanLimit;
  /** What a request of the lane takes of it on average. */
  readonly perRequest: number;
  /** The lane's part in it, from 0 to 1: less than 1 where other lanes of the provider use it, too. */
  readonly part: number;
}

const isShort = ({ limit }: Metered): boolean => windowMs(limit.window) <= SHORT_WINDOW_MS;

const useOf = (
  limit: PlanLimit,
  lane: PlanLane,
  plan: Plan,
  { lanes }: Situation,
): Omit<Metered, 'limit'> => {
  const taken = takenOf(limit, lane, plan);
  const sharers = lanes.filter(({ id, providerId }) => limit.scope === id || limit.scope === providerId);
  const all = sharers.reduce((sum, sharer) => sum + takenOf(limit, sharer, plan), 0);
  return { perRequest: taken / requestsOf(plan, lane.id), part: all === 0 ? 0 : taken / all };
};

const takenOf = (limit: PlanLimit, lane: PlanLane, { lanes }: Plan): number =>
  plannedUse(limit, lane, lanes.find(({ laneId }) => laneId === lane.id)?.shares ?? []);

interface Pace {
  readonly planned: number;
  readonly requestsPerMs: number;
  readonly startMs: number;
  readonly nowMs: number;
}

const waitFor = (
  { limit, perRequest, part }: Metered,
  { planned, requestsPerMs, startMs, nowMs }: Pace,
): readonly FirstWait[] => {
  const left = Math.max(0, limit.amount - limit.used) * part;
  const refillPerMs = limit.window.kind === 'refill' ? (limit.amount * part) / limit.window.perMs : 0;
  const drainPerMs = requestsPerMs * perRequest - refillPerMs;
  if (drainPerMs <= 0) return [];
  const lastsMs = left / drainPerMs;
  if (requestsPerMs * lastsMs >= planned - LEAST_REQUESTS) return [];
  const atMs = Math.round(startMs + lastsMs);
  return [{ limit, atMs, untilMs: freesAtMs(limit, atMs, startMs, nowMs) }];
};

/** A wait for less than a request is the planner's rounding. */
const LEAST_REQUESTS = 0.5;

const freesAtMs = (limit: PlanLimit, atMs: number, startMs: number, nowMs: number): number | null => {
  if (hasResets(limit)) return resetsOf(limit, nowMs).find((resetMs) => resetMs > atMs) ?? null;
  if (limit.window.kind !== 'rolling') return null;
  const counted = limit.freeings.find((freeing) => freeing.atMs > atMs)?.atMs ?? Infinity;
  return Math.min(counted, Math.max(atMs, startMs + limit.window.perMs + limit.marginMs));
};
