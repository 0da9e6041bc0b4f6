/** Planning in a simulated night: the situation as a record would tell it, and what follows from a plan. */
import { makePlan } from '../../../src/core/plan/plan.ts';
import { type CallLength, callLengths } from '../../../src/core/plan/call-length.ts';
import type { PlanLane, Situation } from '../../../src/core/plan/situation.ts';
import { progressIntoNextPlan } from '../../../src/core/plan/wish-list.ts';
import type { LaneState } from './lane-state.ts';
import type { NightRun } from './night-run.ts';

const BATCH_ID = 1;
/** A lane that fails more often still counts as one of which half the calls succeed. */
const MOST_FAILURES = 0.5;

/** What waits, and what may serve it, now; of what calls take only what they have shown. */
export const situationOf = ({
  night,
  nowMs,
  backlog,
  routes,
  answers,
  lanes,
  quotas,
}: NightRun): Situation => ({
  nowMs,
  cells: backlog.cells(),
  routes: routes.all().map((avoided, id) => ({
    id,
    batchId: BATCH_ID,
    priority: 0,
    laneIds: lanes.map(({ lane }) => lane.id).filter((laneId) => !avoided.includes(laneId)),
    ...(avoided.length === 0 ? {} : { laneIdsSoon: lanes.map(({ lane }) => lane.id) }),
    ...(night.deadlineMs === null ? {} : { expiresAtMs: night.startsAtMs + night.deadlineMs }),
  })),
  answers: [...answers].map(([band, sum]) => ({ batchId: BATCH_ID, band, ...sum })),
  lanes: planLanesOf(lanes, nowMs),
  providers: [...new Map(lanes.map(({ provider }) => [provider.id, provider])).values()].map(
    ({ id, concurrency }) => ({ id, concurrency }),
  ),
  limits: quotas.limitsAt(nowMs),
});

const planLanesOf = (lanes: readonly LaneState[], nowMs: number): readonly PlanLane[] => {
  const lengths = callLengths(
    lanes.map(({ callMs, open, calls }) => {
      const [oldest] = open;
      const waitingMs = oldest === undefined ? null : nowMs - oldest.sentAtMs;
      return { callMs, waitingMs, hasEnded: calls > open.size };
    }),
  );
  return lanes.flatMap((state, index) => {
    const length = lengths[index];
    return length === undefined ? [] : [planLaneOf(state, length)];
  });
};

const planLaneOf = ({ lane, failureShare, opensAtMs }: LaneState, length: CallLength): PlanLane => ({
  ...length,
  id: lane.id,
  providerId: lane.providerId,
  slots: lane.concurrency,
  failureShare: Math.min(MOST_FAILURES, failureShare),
  tokenRatio: 1,
  tokenRatioAtMost: 1,
  contextTokens: lane.contextTokens,
  maxOutputTokens: lane.maxOutputTokens,
  opensAtMs,
  ...(lane.unitCost === undefined ? {} : { unitCost: lane.unitCost }),
});

/** After the first plan, and while the first answer of a lane is awaited, the next one comes after such a share of the usual pause. */
const SOON_SHARE = 1 / 4;

const isAwaiting = ({ lanes }: Situation): boolean => lanes.some(({ guess }) => guess === 'awaited');

/** Makes the plan anew, unless the night goes without. */
export const replan = (run: NightRun): void => {
  const { matching, solve, replanMs } = run.options;
  const situation = situationOf(run);
  run.plan = matching === 'planned' && run.backlog.size() > 0 ? makePlan(situation, solve) : null;
  run.nextPlanMs = replanMs * (run.plans === 0 || isAwaiting(situation) ? SOON_SHARE : 1);
  run.plans += 1;
  run.planIsStale = false;
  for (const lane of run.lanes) lane.progress = progressIntoNextPlan(lane.progress);
  noteForecast(run, situation);
};

/** A lane that was not heard of in the first minute will be slow. */
const LONGEST_START_MS = 60_000;

/** The forecast at the start is the first one that knows how quick the lanes are. Of a night that is cut short there is none. */
const noteForecast = (run: NightRun, { lanes }: Situation): void => {
  const { plan, night, done, nowMs, forecasts } = run;
  if (plan === null || plan.finishAtMs === null || night.deadlineMs !== null) return;
  const isGuess = lanes.some(({ guess }) => guess !== undefined);
  if (isGuess && nowMs < night.startsAtMs + LONGEST_START_MS) return;
  const finishMs = plan.finishAtMs - night.startsAtMs;
  const isHalf = forecasts.atHalf === null && done * 2 >= night.documents.length;
  run.forecasts = {
    ...forecasts,
    atStart: forecasts.atStart ?? finishMs,
    ...(isHalf ? { atHalf: finishMs, halfAtMs: nowMs - night.startsAtMs } : {}),
  };
};
