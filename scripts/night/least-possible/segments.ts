/** The parts of a night between which a tier's limits begin anew, or between which it is there and away. */
import type { SimulatedTier } from '../../../src/simulator/tier.ts';
import type { NightLane, Span } from './night-lanes.ts';
import { turnsOf } from './window-capacity.ts';

/** One after the other without a gap, from 0 to the end of the night. */
export const segmentsOf = (
  tier: SimulatedTier,
  lanes: readonly NightLane[],
  { startsAtMs, endsAtMs }: { readonly startsAtMs: number; readonly endsAtMs: number },
): readonly Span[] => {
  const limits = [...tier.limits, ...tier.models.flatMap((model) => model.limits)];
  const turns = limits.flatMap(({ window }) => turnsOf(window, startsAtMs, endsAtMs));
  const edges = lanes
    .filter((lane) => lane.tier === tier)
    .flatMap(({ outages }) => outages.flatMap((outage) => [outage.fromMs, outage.untilMs]));
  const inside = [...turns, ...edges].filter((atMs) => atMs > 0 && atMs < endsAtMs);
  const instants = [0, ...new Set(inside.toSorted((a, b) => a - b)), endsAtMs];
  return instants.slice(1).map((untilMs, index) => ({ fromMs: instants[index] ?? 0, untilMs }));
};
