/** Turns what came back from a call into what the record is told: the request's next state, the quota, the lane. */
import type { Answer } from '../core/failures/classify-answer.ts';
import type { Failure } from '../core/failures/failure.ts';
import type { LaneEffect } from '../core/failures/lane-effect.ts';
import { canEverServe, largestCallTokens } from '../core/matching.ts';
import type { Lane } from '../core/model.ts';
import { OTHERS_FIRST_MS } from '../core/plan/lanes-back.ts';
import { DEFAULT_TRY_LIMIT, type NextStep, nextStep, type RequestStep } from '../core/failures/next-step.ts';
import { type AttemptNote, failedLine, type LineHead, successLine } from '../core/lines/output-line.ts';
import type { BegunCall, FinishedCall, PastAttempt, ToldLimits } from './ledger.ts';
import type { ProviderReply, Routing } from './ports.ts';

/** A call that has come back; its `begunAtMs` is when it was made. */
export interface Returned {
  readonly call: BegunCall;
  readonly lane: Lane;
  readonly reply: ProviderReply;
  readonly verdict: Answer | Failure;
  /** What the reply says of limits. */
  readonly told: ToldLimits | null;
  /** The `max_tokens` that was sent. */
  readonly capTokens: number;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random01: number;
}

/** What the record is told, and what it means for the lane. */
export interface Settled {
  readonly finished: FinishedCall;
  readonly effect: LaneEffect;
}

/** Decides what becomes of a request after one call. Pure. */
export const settleCall = (returned: Returned, routing: Routing): Settled =>
  returned.verdict.kind === 'answer'
    ? { finished: succeeded(returned, returned.verdict), effect: { kind: 'none' } }
    : afterFailure(returned, returned.verdict, routing);

const succeeded = (returned: Returned, answer: Answer): FinishedCall => {
  const { call, reply, told } = returned;
  return {
    ...unchanged(call),
    told,
    outcome: 'succeeded',
    reason: null,
    usage: answer.usage,
    sentAtMs: call.begunAtMs,
    durationMs: durationOf(returned),
    settlement: answer.usage === null ? 'estimate' : 'usage',
    countsAsTry: true,
    next: {
      kind: 'succeeded',
      line: successLine({
        ...head(returned, 'succeeded', null),
        statusCode: reply.kind === 'http' ? reply.status : 200,
        requestId: requestIdOf(reply),
        bodyText: reply.kind === 'http' ? reply.bodyText : '',
      }),
    },
  };
};

/** What the record is told when we failed ourselves: the request fails, and the call stays counted. */
export const faulted = (call: BegunCall, failure: Failure): FinishedCall => {
  const { requestId, customId, laneId, begunAtMs, trail } = call;
  const last: AttemptNote = {
    lane: laneId,
    outcome: failure.kind,
    reason: failure.reason,
    begunAtMs,
    durationMs: null,
    promptTokens: null,
    completionTokens: null,
  };
  const provenance = { lane: laneId, attempts: [...attemptNotes(trail), last] };
  const line = failedLine({
    id: `batch_req_${requestId}`,
    customId,
    provenance,
    failure,
    statusCode: null,
    requestId: null,
  });
  return {
    ...unchanged(call),
    outcome: failure.kind,
    reason: failure.reason,
    usage: null,
    sentAtMs: null,
    durationMs: null,
    settlement: 'estimate',
    countsAsTry: true,
    next: { kind: 'failed', line },
  };
};

const afterFailure = (returned: Returned, failure: Failure, routing: Routing): Settled => {
  const { call, lane, capTokens, nowMs, random01 } = returned;
  const step = nextStep(
    failure,
    {
      triesBefore: call.tries,
      badRequestsBefore: count(
        call,
        // Two lanes of a provider are one opinion.
        (attempt) => attempt.outcome === 'bad-request' && providerIdOf(attempt.lane) !== lane.providerId,
      ),
      sickBefore: count(call, (attempt) => attempt.outcome === 'sick' || attempt.outcome === 'unreachable'),
      isTrial: call.isTrial,
      droppedParameters: call.droppedParameters,
      capTokens,
      laneMaxOutputTokens: lane.maxOutputTokens,
    },
    { nowMs, random01 },
  );
  return { finished: nextState(returned, failure, step, routing), effect: step.effect };
};

const nextState = (returned: Returned, failure: Failure, step: NextStep, routing: Routing): FinishedCall => {
  const { call } = returned;
  const outcome: Outcome = {
    outcome: failure.kind,
    reason: failure.reason,
    usage: failure.kind === 'useless-answer' ? failure.usage : null,
    sentAtMs: call.begunAtMs,
    durationMs: durationOf(returned),
    told: returned.told,
    settlement: step.settlement,
    countsAsTry: step.countsAsTry,
  };
  const moved = move(returned, step, routing);
  return moved === null
    ? { ...unchanged(call), ...outcome, next: { kind: 'failed', line: lastLine(returned, failure) } }
    : { ...unchanged(call), ...outcome, ...moved };
};

type Outcome = Pick<
  FinishedCall,
  'outcome' | 'reason' | 'usage' | 'sentAtMs' | 'durationMs' | 'settlement' | 'countsAsTry' | 'told'
>;
type Moved = Pick<FinishedCall, 'next'> & Partial<FinishedCall>;

/** Where the request goes now; `null` if there is nowhere left to go. */
const move = (
  returned: Returned,
  { request: step, countsAsTry }: NextStep,
  routing: Routing,
): Moved | null => {
  const { call } = returned;
  const isLastTry = call.tries + Number(countsAsTry) >= DEFAULT_TRY_LIMIT - 1;
  const again = { kind: 'pending', avoidUntilMs: null } as const;
  switch (step.kind) {
    case 'fail':
      return null;
    case 'retry-without-parameter':
      return { next: again, droppedParameters: [...call.droppedParameters, step.parameter] };
    case 'retry-larger-cap':
      return moveToLargerCap(returned, step.capTokens, routing);
    case 'elsewhere':
      return moveElsewhere(returned, step, { routing, isLastTry });
  }
};

/** The cap that was asked for, else twice the old one, if any lane has room for it. */
const moveToLargerCap = ({ call, capTokens }: Returned, wanted: number, routing: Routing): Moved | null => {
  const outputCapTokens = [wanted, capTokens * 2].find(
    (cap) => cap > capTokens && servingLanes(call, routing, call.excluded, cap).length > 0,
  );
  return outputCapTokens === undefined
    ? null
    : { next: { kind: 'pending', avoidUntilMs: null }, outputCapTokens };
};

const moveElsewhere = (
  { call, lane, verdict, nowMs }: Returned,
  step: Extract<RequestStep, { kind: 'elsewhere' }>,
  { routing, isLastTry }: { readonly routing: Routing; readonly isLastTry: boolean },
): Moved | null => {
  const left = excludedScopes(step.exclude, { lane, verdict, routing });
  if (step.backAtMs === null) {
    const excluded = union(call.excluded, left);
    if (servingLanes(call, routing, excluded).length === 0) return null;
    return { excluded, next: { kind: 'pending', avoidUntilMs: null } };
  }
  const avoided = union(call.avoided, left);
  // That a free lane failed once is no reason to pay: it is what is left by the deadline that is paid for, and a last try.
  const mayPay = isLastTry || isPaid(lane.id, routing);
  const hasAnother = servingLanes(call, routing, [...call.excluded, ...avoided]).some(
    (laneId) => mayPay || !isPaid(laneId, routing),
  );
  return hasAnother
    ? { avoided, next: { kind: 'pending', avoidUntilMs: Math.max(step.backAtMs, nowMs + OTHERS_FIRST_MS) } }
    : { avoided: [], next: { kind: 'parked', untilMs: step.backAtMs } };
};

const excludedScopes = (
  exclude: Extract<RequestStep, { kind: 'elsewhere' }>['exclude'],
  { lane, verdict, routing }: Pick<Returned, 'lane' | 'verdict'> & { readonly routing: Routing },
): readonly string[] => {
  switch (exclude) {
    case null:
      return [];
    case 'lane':
      return [lane.id];
    case 'provider':
      return [lane.providerId];
    case 'lanes-this-small': {
      // The bound that was named, where one was: the lane may hold far less than its configuration says.
      const named = verdict.kind === 'too-large' ? verdict.limitTokens : null;
      const bound = Math.min(largest(lane, routing), named ?? Infinity);
      const lanes = routing.providers.flatMap((provider) => provider.lanes);
      return [lane.id, ...lanes.filter((other) => largest(other, routing) <= bound).map((other) => other.id)];
    }
  }
};

const largest = (lane: Lane, routing: Routing): number => {
  const provider = routing.provider(lane.providerId);
  return provider === undefined ? 0 : largestCallTokens(provider, lane);
};

/**
 * The lanes of the request's pool that are not excluded and can hold a request of its size. Of lanes that only another
 * process knows, the best is assumed: that process took them in.
 */
const servingLanes = (
  call: BegunCall,
  routing: Routing,
  excluded: readonly string[],
  outputTokens = call.mostOutputTokens,
): readonly string[] =>
  call.poolLaneIds.filter((laneId) => {
    if (excluded.includes(laneId) || excluded.includes(providerIdOf(laneId))) return false;
    const lane = routing.lane(laneId);
    const provider = lane === undefined ? undefined : routing.provider(lane.providerId);
    const need = { promptTokens: call.promptTokens, outputTokens, outputIsAsked: call.outputIsAsked };
    return lane === undefined || provider === undefined || canEverServe(provider, lane, need);
  });

const isPaid = (laneId: string, routing: Routing): boolean =>
  routing.provider(providerIdOf(laneId))?.tier === 'paid';

const providerIdOf = (laneId: string): string => laneId.slice(0, laneId.indexOf('/'));

const lastLine = (returned: Returned, failure: Failure): string =>
  failedLine({
    ...head(returned, failure.kind, failure.reason),
    failure,
    statusCode: returned.reply.kind === 'http' ? returned.reply.status : null,
    requestId: requestIdOf(returned.reply),
  });

const head = ({ call, lane, verdict, nowMs }: Returned, outcome: string, reason: string | null): LineHead => {
  const usage = 'usage' in verdict ? verdict.usage : null;
  const last: AttemptNote = {
    lane: lane.id,
    outcome,
    reason,
    begunAtMs: call.begunAtMs,
    durationMs: durationOf({ call, nowMs }),
    promptTokens: usage?.promptTokens ?? null,
    completionTokens: usage?.completionTokens ?? null,
  };
  return {
    id: `batch_req_${call.requestId}`,
    customId: call.customId,
    provenance: { lane: lane.id, attempts: [...attemptNotes(call.trail), last] },
  };
};

const durationOf = ({ call, nowMs }: Pick<Returned, 'call' | 'nowMs'>): number =>
  Math.max(0, Math.round(nowMs - call.begunAtMs));

const requestIdOf = (reply: ProviderReply): string | null =>
  reply.kind === 'http' ? (reply.headers['x-request-id'] ?? null) : null;

const unchanged = (call: BegunCall) => ({
  grantId: call.grantId,
  excluded: call.excluded,
  avoided: call.avoided,
  droppedParameters: call.droppedParameters,
  outputCapTokens: null,
  told: null,
});

const union = (some: readonly string[], others: readonly string[]): string[] => [
  ...new Set([...some, ...others]),
];

/** Attempts that count for what follows: since somebody last retried the request. */
const count = (call: BegunCall, test: (attempt: PastAttempt) => boolean): number =>
  call.trail.filter((attempt) => !attempt.isBeforeRetry && test(attempt)).length;

/** Earlier attempts as the user may read them. */
export const attemptNotes = (trail: readonly PastAttempt[]): readonly AttemptNote[] =>
  trail.map(({ isBeforeRetry: _isBeforeRetry, ...note }) => note);
