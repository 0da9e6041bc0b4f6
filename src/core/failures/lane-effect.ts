/** What a failure means for its lane or provider: a wait, a closed window, a count towards closing it. */
import type { Failure, QuotaPeriod, Scope } from './failure.ts';

/** What happens to the lane or the provider. */
export type LaneEffect =
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly scope: Scope; readonly untilMs: number }
  | {
      readonly kind: 'close';
      readonly scope: Scope;
      /** `null`: until the declared window of that period ends. */
      readonly untilMs: number | null;
      readonly period: QuotaPeriod;
      /** Only a new key or money helps: the user is told, and `untilMs` is merely when it is tried again. */
      readonly needsUser: boolean;
    }
  /** One word that the model is gone; the second in a row retires the lane for a day. */
  | { readonly kind: 'retire' }
  /** One sick outcome for the circuit breaker. */
  | { readonly kind: 'trip'; readonly scope: Scope };

/** The effects the policy table names. */
export type EffectName = LaneEffect['kind'] | 'wait-briefly' | 'close-for-user' | 'trip-provider';

/** A lane whose 429 does not say how long waits a third of a minute: most minute windows have room again by then. */
const UNSAID_WAIT_MS = 20_000;

/** Too many calls at once: one of them ends any moment, and each wait is at the price of one more refusal. */
const BRIEF_WAIT_MS = 3_000;

/** Even where a provider says "at once", a refusal is worth a second. */
const SHORTEST_WAIT_MS = 1_000;

/** Keys and accounts are tried again daily, in case they were mended without our knowing. */
const RECHECK_MS = 86_400_000;

/** The effect of a failure, with its instants filled in: what the provider said, else a default. */
export function laneEffect(effect: EffectName, failure: Failure, nowMs: number): LaneEffect {
  switch (effect) {
    case 'wait':
      return wait(failure, nowMs, unsaidWaitMs(failure));
    case 'wait-briefly':
      return wait(failure, nowMs, BRIEF_WAIT_MS);
    case 'close':
      return closeUntilReset(failure, nowMs);
    case 'close-for-user':
      return {
        kind: 'close',
        scope: 'provider',
        untilMs: nowMs + RECHECK_MS,
        period: 'day',
        needsUser: true,
      };
    case 'trip':
      return { kind: 'trip', scope: 'lane' };
    case 'trip-provider':
      return { kind: 'trip', scope: 'provider' };
    case 'retire':
    case 'none':
      break;
  }
  return { kind: effect };
}

function scopeOf(failure: Failure): Scope {
  return failure.kind === 'minute-limit' || failure.kind === 'day-limit' ? failure.scope : 'lane';
}

function wait(failure: Failure, nowMs: number, unsaidMs: number): LaneEffect {
  const saidAtMs = failure.kind === 'minute-limit' ? failure.retryAtMs : null;
  const untilMs = Math.max(saidAtMs ?? nowMs + unsaidMs, nowMs + SHORTEST_WAIT_MS);
  return { kind: 'wait', scope: scopeOf(failure), untilMs };
}

/** A window shorter than the usual wait (Mistral's second) is over by its own end. */
function unsaidWaitMs(failure: Failure): number {
  const periodMs = failure.kind === 'minute-limit' ? failure.named?.periodMs : null;
  return Math.min(periodMs ?? UNSAID_WAIT_MS, UNSAID_WAIT_MS);
}

function closeUntilReset(failure: Failure, nowMs: number): LaneEffect {
  const isDayLimit = failure.kind === 'day-limit';
  const resetAtMs = isDayLimit ? failure.resetAtMs : null;
  const untilMs = resetAtMs === null ? null : Math.max(resetAtMs, nowMs + SHORTEST_WAIT_MS);
  const period = isDayLimit ? failure.period : 'day';
  return { kind: 'close', scope: scopeOf(failure), untilMs, period, needsUser: false };
}
