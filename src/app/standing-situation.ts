/** How things stand for a forecast: as the record has it, with every lane served that could be. */
import type { PlanLimit, Situation } from '../core/plan/situation.ts';
import { declaredSlots, unusedSupply } from '../core/plan/unused.ts';
import { isSameWindow } from '../core/quota/window.ts';
import type { SituationReader } from './planning.ts';
import type { Routing } from './ports.ts';
import { everyLane } from './process-registry.ts';

/** What nobody has used yet, with nothing waiting. */
export const untouchedSituation = ({ providers }: Routing, nowMs: number): Situation => ({
  nowMs,
  cells: [],
  routes: [],
  answers: [],
  ...unusedSupply(providers),
});

/**
 * The situation of all lanes of the routing. Where no worker is at work on a lane now, it counts as served in full: whoever
 * asks is about to start one. Limits that the record does not have yet, since they were declared while others were at work,
 * count as declared, with nothing used.
 */
export const standingSituation = async (reader: SituationReader, routing: Routing): Promise<Situation> => {
  const served = everyLane(routing);
  const situation = await reader.read(served);
  const { limits } = situation;
  return {
    ...situation,
    lanes: situation.lanes.map((lane) => {
      const own = served.find((one) => one.lane.id === lane.id);
      return lane.slots > 0 || own === undefined
        ? lane
        : { ...lane, slots: declaredSlots(own.provider, own.lane) };
    }),
    providers: situation.providers.map(({ id, concurrency }) => ({
      id,
      concurrency: concurrency ?? routing.provider(id)?.concurrency ?? null,
    })),
    limits: [
      ...limits,
      ...unusedSupply(routing.providers).limits.filter((declared) => !limits.some(isSameAs(declared))),
    ],
  };
};

/** Whether both count the same in the same windows; how much they allow may differ. */
const isSameAs =
  (one: PlanLimit) =>
  ({ scope, metric, window }: PlanLimit): boolean =>
    scope === one.scope && metric === one.metric && isSameWindow(window, one.window);
