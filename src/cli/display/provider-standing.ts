/** How a provider stands: what its lanes share is its own, and each lane has the rest. Pure. */
import type { LaneProgress, LimitUse } from '../../app/progress.ts';
import { byMetricAndLength } from '../text/limit-label.ts';
import { type LaneState, laneState } from './lane-state.ts';

/** One provider with its lanes, in their order. */
export interface ProviderStanding {
  readonly providerId: string;
  /** Limits that its lanes share. */
  readonly limits: readonly LimitUse[];
  /** Why the whole provider is closed; `null` while it is not. */
  readonly closed: Extract<LaneState, { kind: 'closed' }> | null;
  readonly lanes: readonly LaneStanding[];
}

/** One lane. */
export interface LaneStanding {
  readonly laneId: string;
  readonly state: LaneState;
  /** Of the lane alone. */
  readonly limits: readonly LimitUse[];
}

/** The lanes by provider; limits by metric, then by length. */
export function providerStandings(
  lanes: readonly LaneProgress[],
  nowMs: number,
): readonly ProviderStanding[] {
  return [...Map.groupBy(lanes, ({ providerId }) => providerId)].map(([providerId, ofProvider]) => {
    const standings = ofProvider.map((lane) => laneStanding(lane, nowMs));
    const closed = standings.flatMap(({ state }) =>
      state.kind === 'closed' && state.scope === providerId ? [state] : [],
    );
    return {
      providerId,
      closed: closed[0] ?? null,
      limits: limitsOf(ofProvider[0], providerId),
      lanes: standings,
    };
  });
}

function laneStanding(lane: LaneProgress, nowMs: number): LaneStanding {
  return { laneId: lane.laneId, state: laneState(lane, nowMs), limits: limitsOf(lane, lane.laneId) };
}

function limitsOf(lane: LaneProgress | undefined, scope: string): readonly LimitUse[] {
  return (lane?.limits ?? []).filter((limit) => limit.scope === scope).toSorted(byMetricAndLength);
}
