/** A lane in the course of a simulated night: what runs on it, and what is known of it by experience. */
import { type LaneProgress, NO_PROGRESS } from '../../../src/core/plan/wish-list.ts';
import { meterFor, type Meter as TrueMeter } from '../../../src/simulator/windows/meter.ts';
import type { Night, NightDocument } from '../night.ts';
import { lanesOf, type NightLane } from './lanes-of.ts';

/** A call under way. */
export interface OpenCall {
  readonly sentAtMs: number;
  readonly capTokens: number;
}

/** A lane as it stands. */
export interface LaneState extends NightLane {
  /** What the provider itself counts: its own meters, then the lane's. */
  readonly truth: readonly TrueMeter[];
  /** Where its calls count. */
  readonly scopes: readonly [string, string];
  /** The largest call that it could ever take, in tokens. */
  readonly mostCallTokens: number;
  underWay: number;
  /** Nothing is granted before. */
  opensAtMs: number;
  /** When it looks again by itself; `Infinity` where it waits for an event. */
  wakeAtMs: number;
  failuresInRow: number;
  /** Calls under way, in the order in which they were sent. */
  readonly open: Set<OpenCall>;
  /** Answers so far, and their tokens. */
  answered: number;
  answeredTokens: number;
  /** Moving means; calls have none before the first answer. */
  callMs: number | null;
  failureShare: number;
  /** By the plan. */
  progress: LaneProgress;
  /** For the report. */
  calls: number;
  tokens: number;
  lastMs: number;
}

/** So many failures in a row close a lane. */
const FAILURES_TO_CLOSE = 5;
const FIRST_CLOSURE_MS = 5_000;
const LONGEST_CLOSURE_MS = 300_000;
/** A call is worth so much of the mean. */
const CALL_MS_WEIGHT = 1 / 8;
const FAILURE_WEIGHT = 1 / 32;

/** The lanes of a night before it begins. */
export const laneStatesOf = (night: Night): readonly LaneState[] => {
  const shared = new Map(night.tiers.map((tier) => [tier.id, tier.limits.map(meterFor)]));
  return lanesOf(night).map((own): LaneState => {
    const { lane, provider } = own;
    const limits = [...lane.limits, ...provider.limits].filter(({ metric }) => metric === 'tokens');
    return {
      ...own,
      truth: [...(shared.get(provider.id) ?? []), ...lane.limits.map(meterFor)],
      scopes: [lane.id, provider.id],
      mostCallTokens: Math.min(lane.contextTokens, ...limits.map(({ amount }) => amount)),
      underWay: 0,
      opensAtMs: night.startsAtMs,
      wakeAtMs: Infinity,
      failuresInRow: 0,
      open: new Set(),
      answered: 0,
      answeredTokens: 0,
      callMs: null,
      failureShare: 0,
      progress: NO_PROGRESS,
      calls: 0,
      tokens: 0,
      lastMs: 0,
    };
  });
};

/** Whether it could ever take the document. */
export const canServe = (
  { mostCallTokens }: LaneState,
  { promptTokens, capTokens }: NightDocument,
): boolean => promptTokens + capTokens <= mostCallTokens;

/** Whether failures have closed it: it is tried with one call until that succeeds. */
export const isOnTrial = ({ failuresInRow }: LaneState): boolean => failuresInRow >= FAILURES_TO_CLOSE;

/** Calls at once, for now. */
export const slotsOf = (state: LaneState): number => (isOnTrial(state) ? 1 : state.lane.concurrency);

/** A call came to nothing. */
export const noteFailure = (state: LaneState, nowMs: number): void => {
  state.failureShare += (1 - state.failureShare) * FAILURE_WEIGHT;
  state.failuresInRow += 1;
  if (!isOnTrial(state)) return;
  const closureMs = FIRST_CLOSURE_MS * 2 ** (state.failuresInRow - FAILURES_TO_CLOSE);
  state.opensAtMs = nowMs + Math.min(LONGEST_CLOSURE_MS, closureMs);
};

/** A call was answered. */
export const noteSuccess = (state: LaneState, durationMs: number): void => {
  state.failuresInRow = 0;
  state.failureShare -= state.failureShare * FAILURE_WEIGHT;
  state.callMs =
    state.callMs === null ? durationMs : state.callMs + (durationMs - state.callMs) * CALL_MS_WEIGHT;
};
