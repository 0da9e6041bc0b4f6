/** Granting in a simulated night: every lane takes what it may, as soon as it may. */
import { reserve } from '../../../src/core/quota/quota.ts';
import type { LanePlan } from '../../../src/core/plan/plan.ts';
import { progressAfter, wishList } from '../../../src/core/plan/wish-list.ts';
import { beginCall } from './calls.ts';
import { type Choice, choose, type LaneWish, needOf } from './choosing.ts';
import { type LaneState, slotsOf } from './lane-state.ts';
import { localWishes } from './local-wishes.ts';
import type { NightRun } from './night-run.ts';

/** From the grant to the call's arrival: what the queue and the network take. */
const WAY_MS = 20;

/** Grants whatever there is room for, on every lane. */
export const grantAll = (run: NightRun): void => {
  for (const lane of run.lanes) grantOn(run, lane);
};

/** The same on one lane. It looks again when there may be room. */
export const grantOn = (run: NightRun, state: LaneState): void => {
  state.wakeAtMs = Infinity;
  if (run.nowMs < state.opensAtMs) {
    wakeAt(run, state, state.opensAtMs);
    return;
  }
  while (state.underWay < slotsOf(state) && run.backlog.size() > 0) {
    const { chosen, roomAtMs } = look(run, state);
    for (const atMs of roomAtMs) wakeAt(run, state, Math.max(run.nowMs + 1, atMs));
    if (chosen === null) return;
    grant(run, state, chosen);
  }
};

/** What the lane would take now. */
export const look = (run: NightRun, state: LaneState): Choice =>
  choose(state, {
    wishes: wishesOf(run, state),
    backlog: run.backlog,
    quota: run.quotas.of(state.provider.id),
    returningTokens: returningTokens(run, state),
    nowMs: run.nowMs,
  });

/** Of the lane, or of all lanes of a provider that counts tokens over all of them. */
const returningTokens = ({ lanes, nowMs }: NightRun, { lane, provider }: LaneState): number => {
  const isShared = provider.limits.some(({ metric }) => metric !== 'requests');
  const own = lanes.filter((other) => (isShared ? other.provider === provider : other.lane === lane));
  return own.reduce((sum, other) => sum + excessOf(other, nowMs), 0);
};

const excessOf = ({ open, answered, answeredTokens, callMs }: LaneState, nowMs: number): number => {
  if (answered === 0) return 0;
  const usual = Math.ceil((ANSWER_MARGIN * answeredTokens) / answered);
  const due = [...open].filter(({ sentAtMs }) => nowMs - sentAtMs < 2 * (callMs ?? 0));
  return due.reduce((sum, { capTokens }) => sum + Math.max(0, capTokens - usual), 0);
};

/** Answers are reckoned so much longer than they are on average. */
const ANSWER_MARGIN = 1.25;

const lanePlanOf = ({ plan }: NightRun, { lane }: LaneState): LanePlan | undefined =>
  plan?.lanes.find(({ laneId }) => laneId === lane.id);

const wishesOf = (run: NightRun, state: LaneState): readonly LaneWish[] => {
  const { backlog, routes } = run;
  const lanePlan = lanePlanOf(run, state);
  return lanePlan === undefined ? localWishes(state, backlog, routes) : wishList(lanePlan, state.progress);
};

const wakeAt = (run: NightRun, state: LaneState, atMs: number): void => {
  if (atMs >= state.wakeAtMs) return;
  state.wakeAtMs = atMs;
  run.events.push({
    atMs,
    run: () => {
      if (state.wakeAtMs <= run.nowMs) grantOn(run, state);
    },
  });
};

const grant = (
  run: NightRun,
  state: LaneState,
  { waiting, sizeClass }: NonNullable<Choice['chosen']>,
): void => {
  const { quotas, nowMs } = run;
  const reserved = reserve(quotas.of(state.provider.id), state.scopes, needOf(waiting.document), nowMs);
  if (reserved.kind !== 'granted')
    throw new Error(`Expected room on ${state.lane.id} that was there a moment ago, got none.`);
  quotas.put(state.provider.id, reserved.quota);
  run.backlog.remove(waiting);
  const lanePlan = lanePlanOf(run, state);
  if (sizeClass !== null && lanePlan !== undefined)
    state.progress = progressAfter(lanePlan, state.progress, sizeClass);
  state.underWay += 1;
  run.events.push({
    atMs: nowMs + WAY_MS,
    run: () => beginCall(run, { state, waiting, grant: reserved.grant }, grantOn),
  });
};
