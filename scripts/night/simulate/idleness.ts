/**
 * Whether lanes idle that need not: those with a call slot and quota for something that waits, that keep no room for a
 * planned request, although the plan names no better place for it. Where there is no plan, nothing is better elsewhere.
 */
import { reserve } from '../../../src/core/quota/quota.ts';
import type { BacklogCell } from '../../../src/core/plan/situation.ts';
import { needOf } from './choosing.ts';
import { look } from './granting.ts';
import { type LaneState, slotsOf } from './lane-state.ts';
import type { NightRun } from './night-run.ts';

/** A lane that idled, and what it might have taken. */
export interface IdleLane {
  readonly laneId: string;
  /** From the beginning of the night. */
  readonly atMs: number;
  readonly documentId: string;
}

/** Loses less than this share of what it is worth: then a request may as well run here as where it is planned. */
const TOLERABLE_LOSS = 0.1;

/** Lanes that idle now, when all have taken what they would. */
export const idleLanes = (run: NightRun): readonly IdleLane[] =>
  run.lanes.flatMap((state): readonly IdleLane[] => {
    if (run.nowMs < state.opensAtMs || state.underWay >= slotsOf(state)) return [];
    if (isBounded(run, state) || look(run, state).head !== null) return [];
    const documentId = run.backlog
      .cells()
      .filter((cell) => mayTake(run, state, cell))
      .map((cell) => run.backlog.smallest(cell)?.document)
      .find((document) => document !== undefined && hasRoom(run, state, needOf(document)))?.id;
    const atMs = run.nowMs - run.night.startsAtMs;
    return documentId === undefined ? [] : [{ laneId: state.lane.id, atMs, documentId }];
  });

/** Whether the plan says that it waits, or takes only so much. */
const isBounded = ({ plan }: NightRun, { lane }: LaneState): boolean =>
  plan?.lanes.some(({ laneId, most }) => laneId === lane.id && most < Infinity) ?? false;

/** Whether the lane is open to it and the plan, where there is one, does not say that it is better elsewhere. */
const mayTake = ({ plan, routes }: NightRun, { lane }: LaneState, cell: BacklogCell): boolean => {
  if (routes.avoidedBy(cell.routeId).includes(lane.id)) return false;
  const lanePlan = plan?.lanes.find(({ laneId }) => laneId === lane.id);
  const isSame = (one: BacklogCell): boolean =>
    one.routeId === cell.routeId && one.capTokens === cell.capTokens && one.fromTokens === cell.fromTokens;
  const share = lanePlan?.shares.find(({ sizeClass }) => sizeClass.cells.some(isSame));
  // Of what is not in the plan at all it names no better place.
  if (share === undefined) return true;
  const { now, later, lossMs, worthMs } = share;
  return now + later > 0 || lossMs <= worthMs * TOLERABLE_LOSS;
};

const hasRoom = (
  { quotas, nowMs }: NightRun,
  { provider, scopes, mostCallTokens }: LaneState,
  need: ReturnType<typeof needOf>,
): boolean =>
  need.promptTokens + need.outputTokens <= mostCallTokens &&
  reserve(quotas.of(provider.id), scopes, need, nowMs).kind === 'granted';
