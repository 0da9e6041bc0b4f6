/** What a lane is doing, in the words that every display and table shares. */
import type { LaneProgress, LimitUse } from '../../app/progress.ts';
import { quotaLeft, limitLabel } from '../text/limit-label.ts';
import { untilText } from '../text/quantity.ts';

/** What a lane is doing. */
export type LaneState =
  /** `paused`: by somebody, until somebody resumes it. */
  | { readonly kind: 'busy' | 'idle' | 'paused' }
  /** A window is used up; `untilMs` is `null` where that hangs on calls under way. */
  | { readonly kind: 'used-up'; readonly label: string; readonly untilMs: number | null }
  | {
      readonly kind: 'closed';
      /** Lane id or provider id: whatever the reason holds for. */
      readonly scope: string;
      readonly untilMs: number;
      readonly reason: string;
      /** Only a new key or money opens it. */
      readonly needsUser: boolean;
    };

/** The state of a lane at `nowMs`. Calls under way make it busy even when nothing is left for another. */
export function laneState(lane: LaneProgress, nowMs: number): LaneState {
  const { closing } = lane;
  if (lane.isPaused) return { kind: 'paused' };
  if (closing !== null) {
    const { scope, untilMs, reason, needsUser } = closing;
    return { kind: 'closed', scope, untilMs, reason, needsUser };
  }
  if (lane.callsUnderWay > 0) return { kind: 'busy' };
  const usedUp = lane.limits
    .filter((limit) => quotaLeft(limit) < 1)
    .map((limit) => ({ label: limitLabel(limit), untilMs: roomAtMs(limit, nowMs) }));
  const last = usedUp.toSorted((a, b) => (b.untilMs ?? Infinity) - (a.untilMs ?? Infinity))[0];
  return last === undefined ? { kind: 'idle' } : { kind: 'used-up', ...last };
}

/** When an empty window has room for one more; `null` where it hangs on calls under way. */
function roomAtMs({ windowKind, perMs, amount, freesAtMs }: LimitUse, nowMs: number): number | null {
  return windowKind === 'refill' && perMs !== null ? nowMs + Math.ceil(perMs / amount) : freesAtMs;
}

/** When the lane takes calls again as far as anybody knows; `null` if it does now, or nobody knows. */
export function opensAtMs(state: LaneState): number | null {
  return state.kind === 'closed' || state.kind === 'used-up' ? state.untilMs : null;
}

/** The state in words: `closed until 09:00 (in 2 h 05 min): daily quota used up`. */
export function stateText(state: LaneState, nowMs: number): string {
  switch (state.kind) {
    case 'busy':
      return 'calling';
    case 'idle':
      return 'open';
    case 'paused':
      return 'paused';
    case 'used-up': {
      const until = state.untilMs === null ? 'until calls end' : `until ${untilText(state.untilMs, nowMs)}`;
      return `${state.label} used up ${until}`;
    }
    case 'closed':
      return state.needsUser
        ? `needs you: ${state.reason}`
        : `closed until ${untilText(state.untilMs, nowMs)}: ${state.reason}`;
  }
}
