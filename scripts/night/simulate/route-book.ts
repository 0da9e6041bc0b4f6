/** Routes of a simulated night: requests from which the same lanes are excluded share one. */

/** Routes by number; 0 excludes nothing. */
export interface RouteBook {
  /** The route of the requests from which all of these lanes are excluded, which may be a new one. */
  without(laneIds: readonly string[]): number;
  excludedFrom(routeId: number): readonly string[];
  /** What each excludes, by its number. */
  all(): readonly (readonly string[])[];
}

/** A book with the route that excludes nothing. */
export const openRouteBook = (): RouteBook => {
  const routes: (readonly string[])[] = [[]];
  return {
    without(laneIds) {
      const excluded = [...new Set(laneIds)].toSorted();
      const known = routes.findIndex((route) => route.join(' ') === excluded.join(' '));
      return known >= 0 ? known : routes.push(excluded) - 1;
    },
    excludedFrom: (routeId) => routes[routeId] ?? [],
    all: () => routes,
  };
};
