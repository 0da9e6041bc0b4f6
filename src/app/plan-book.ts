/** The plan in force, and what was granted since it was made: what dispatchers ask while the next one is being made. */
import type { LanePlan, Plan } from '../core/plan/plan.ts';
import type { SizeClass } from '../core/plan/size-classes.ts';
import {
  type LaneProgress,
  NO_PROGRESS,
  progressAfter,
  progressIntoNextPlan,
  wishList,
} from '../core/plan/wish-list.ts';
import type { Wishes } from './ledger.ts';

/** What dispatchers go by, and tell. */
export interface PlanBook {
  /** What the lane asks for next; `null` where the plan does not know the lane, or there is no plan of late. */
  wishesFor(laneId: string): Wishes | null;
  /** A request of a class was granted on the lane; of a class of an older plan it counts no more. */
  took(laneId: string, sizeClass: SizeClass): void;
  /**
   * The lane was asked, and how it came out. Where no lane finds anything that it wishes for although something waits, the
   * plan has missed something: it is given up until the next one, and lanes take what suits them. One that is to wait idles by plan.
   */
  answered(laneId: string, hasNoWork: boolean): void;
  /** A new plan, which nothing was granted by yet; it is in force for so long by the book's clock, or until the next. */
  adopt(plan: Plan, forMs: number): void;
  /** Tells whenever there is a new plan; answers how to stop that. */
  listen(adopted: () => void): () => void;
}

interface LanePage {
  readonly plan: LanePlan;
  progress: LaneProgress;
}

/** A book without a plan. `nowMs` is a clock that runs evenly; any will do. */
export const openPlanBook = (nowMs: () => number): PlanBook => {
  let pages: ReadonlyMap<string, LanePage> = new Map();
  let plannedRouteIds: readonly number[] = [];
  let untilMs = -Infinity;
  const idle = new Set<string>();
  const listeners = new Set<() => void>();
  return {
    wishesFor: (laneId) => {
      const page = pages.get(laneId);
      if (page === undefined || nowMs() > untilMs) return null;
      return { ranges: wishList(page.plan, page.progress), plannedRouteIds };
    },
    took: (laneId, sizeClass) => {
      const page = pages.get(laneId);
      if (page !== undefined) page.progress = progressAfter(page.plan, page.progress, sizeClass);
    },
    answered: (laneId, hasNoWork) => {
      if (!hasNoWork) idle.delete(laneId);
      else if (pages.get(laneId)?.plan.most === Infinity) idle.add(laneId);
      if (idle.size === 0 || idle.size < pages.size || nowMs() > untilMs) return;
      untilMs = -Infinity;
      for (const listener of listeners) listener();
    },
    adopt: ({ lanes, routeIds }, forMs) => {
      idle.clear();
      const before = pages;
      pages = new Map(
        lanes.map((plan): [string, LanePage] => [
          plan.laneId,
          { plan, progress: progressIntoNextPlan(before.get(plan.laneId)?.progress ?? NO_PROGRESS) },
        ]),
      );
      plannedRouteIds = routeIds;
      untilMs = nowMs() + forMs;
      for (const adopted of listeners) adopted();
    },
    listen: (adopted) => {
      listeners.add(adopted);
      return () => void listeners.delete(adopted);
    },
  };
};
