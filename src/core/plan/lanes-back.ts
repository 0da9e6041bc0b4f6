/** Lanes that failed a request come back to it after a while: a plan need not do without them for hours. */
import type { PlanRoute, Situation } from './situation.ts';

/** So long a lane that failed a request is left to others where there are any: one whose minute is used up, or that is slow, has its turn by then. */
export const OTHERS_FIRST_MS = 300_000;

/** A deadline that is nearer than this is not waited for. */
const LONG_MS = 2 * OTHERS_FIRST_MS;

/** Where requests wait that leave a lane to others. */
export const routesWithLanesLeft = ({ routes }: Situation): ReadonlySet<number> =>
  new Set(routes.flatMap(({ id, laneIdsSoon }) => (laneIdsSoon === undefined ? [] : [id])));

/** The situation as it will be when lanes have come back, but for what has to be done before long: that goes by the lanes it has now. */
export const withLanesBack = (situation: Situation): Situation => ({
  ...situation,
  routes: situation.routes.map(({ laneIdsSoon, ...route }) =>
    laneIdsSoon === undefined || deadlineOf(route) < situation.nowMs + LONG_MS
      ? route
      : { ...route, laneIds: laneIdsSoon },
  ),
});

/** By when what waits there is to be done; `Infinity` where it may be done at any time. */
export const deadlineOf = ({ pays, expiresAtMs }: PlanRoute): number =>
  pays?.deadlineAtMs ?? expiresAtMs ?? Infinity;
