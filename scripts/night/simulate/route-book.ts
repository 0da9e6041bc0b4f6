/** Routes of a simulated night: requests that avoid the same lanes share one. */

/** The route that avoids nothing. */
export const ALL_LANES = 0;

/** Routes by number. */
export interface RouteBook {
  /** The route of the requests that avoid all of these lanes, which may be a new one. */
  without(laneIds: readonly string[]): number;
  avoidedBy(routeId: number): readonly string[];
  /** What each avoids, by its number. */
  all(): readonly (readonly string[])[];
}

/** A book with the route that avoids nothing. */
export const openRouteBook = (): RouteBook => {
  const routes: (readonly string[])[] = [[]];
  return {
    without(laneIds) {
      const avoided = [...new Set(laneIds)].toSorted();
      const known = routes.findIndex((route) => route.join(' ') === avoided.join(' '));
      return known >= 0 ? known : routes.push(avoided) - 1;
    },
    avoidedBy: (routeId) => routes[routeId] ?? [],
    all: () => routes,
  };
};
