/** What a lane would take by itself, where there is no plan: what uses up its requests and tokens together. */
import { targetTokens } from '../../../src/core/matching.ts';
import type { Backlog } from './backlog.ts';
import type { LaneWish } from './choosing.ts';
import type { LaneState } from './lane-state.ts';
import type { RouteBook } from './route-book.ts';

/** The largest up to its target, then the smallest above it. */
export const localWishes = (
  { lane, provider }: LaneState,
  backlog: Backlog,
  routes: RouteBook,
): readonly LaneWish[] => {
  const target = targetTokens(provider, lane);
  const own = backlog.cells().filter(({ routeId }) => !routes.avoidedBy(routeId).includes(lane.id));
  const up = own.filter((cell) => cell.fromTokens + cell.capTokens <= target);
  const above = own.filter((cell) => cell.fromTokens + cell.capTokens > target);
  return [
    ...up.toSorted((a, b) => b.toTokens + b.capTokens - a.toTokens - a.capTokens),
    ...above.toSorted((a, b) => a.toTokens + a.capTokens - b.toTokens - b.capTokens),
  ].map((cell, index) => ({ cell, isPlanned: index === 0, sizeClass: null }));
};
