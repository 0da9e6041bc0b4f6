/** The worker's whole job: begin the calls of a slice, make them, judge what came back, and tell the record. */
import type { Answer } from '../core/failures/classify-answer.ts';
import type { Failure } from '../core/failures/failure.ts';
import type { LaneEffect } from '../core/failures/lane-effect.ts';
import type { Lane, Provider } from '../core/model.ts';
import { marginMs } from '../core/quota/window.ts';
import { shortReason } from '../core/failures/reason.ts';
import { callBody } from './call-body.ts';
import { declaredResetAtMs } from './declared-reset.ts';
import { insist } from './insist.ts';
import type { HealthBook } from './health-book.ts';
import { judgeReply } from './judge-reply.ts';
import { type BegunCall, type FinishedCall, RecordRefused, type RequestPast, type Slice } from './ledger.ts';
import type { Clock, Log, ProviderClient, Routing } from './ports.ts';
import { faulted, settleCall } from './settle-call.ts';
import { toldLimits } from './told-limits.ts';

/** What making a call needs. */
export interface CallTools {
  /** Those of the grants that may begin, or begin again. */
  readonly begin: (slice: Slice) => Promise<readonly BegunCall[]>;
  readonly pastOf: (grantId: number) => Promise<RequestPast | null>;
  readonly finish: (call: FinishedCall) => Promise<void>;
  readonly health: HealthBook;
  readonly provider: ProviderClient;
  readonly routing: Routing;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random01: () => number;
  /** Aborts calls under way. */
  readonly signal: AbortSignal;
}

/** A request whose calls killed their process this often is not tried again; each death alone costs it no try. */
const MOST_LOSSES = 20;

/** A call failed; its outcome is in the record already. The message is for whoever watches the queue. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
}

/**
 * Runs the grants of a slice to their end, one call after the other; no call waits until the one before it is stored.
 * Grants that may not begin any more are left alone.
 *
 * @throws CallFailed after the record has been told, so that the board shows kinds and reasons.
 */
export const runSlice = async (tools: CallTools, slice: Slice): Promise<void> => {
  const calls = begunCalls(tools, slice);
  const told: Promise<Failure | null>[] = [];
  try {
    for (const grantId of slice) {
      const call = await calls.next(grantId);
      if (call === null) continue;
      const made = await makeCall(tools, call).catch((error: unknown) => givenUp(tools, call, error));
      const stored = tellOutcome(tools, call, made);
      // It is awaited below; until then nobody must take its failure for one that nobody cares about.
      stored.catch(() => {});
      told.push(stored);
      if (made.verdict.kind !== 'answer') calls.distrust();
    }
  } finally {
    await Promise.allSettled(told);
  }
  const failures = (await Promise.all(told)).filter((failure) => failure !== null);
  if (failures.length > 0)
    throw new CallFailed(failures.map(({ kind, reason }) => `${kind}: ${reason}`).join('; '));
};

/** Tells the record what came of a call; the failure that it ended in, `null` for an answer. */
const tellOutcome = async (tools: CallTools, call: BegunCall, made: MadeCall): Promise<Failure | null> => {
  try {
    await tellRecord(tools, made.finished);
    return made.verdict.kind === 'answer' ? null : made.verdict;
  } catch (error) {
    // A record that is away for a moment may have an answer yet: it closes the call as lost rather than as a failure.
    if (!(error instanceof RecordRefused)) throw error;
    const fault = givenUp(tools, call, error);
    await tellRecord(tools, fault.finished);
    return fault.verdict;
  }
};

/** The calls of a slice as they are begun. */
interface BegunCalls {
  /** The next call, begun so recently that the provider counts it where we do; `null` if it may not be made. */
  next(grantId: number): Promise<BegunCall | null>;
  /** Something went wrong on the lane: it may have closed, so the rest begins again. */
  distrust(): void;
}

/** Begins are tried this often for one call; a process that is held up both times is better late than never. */
const MOST_BEGINS = 2;

/**
 * Begins the whole slice together, and what is left of it again when so much time went by since that it might be counted
 * elsewhere: since the record began it, not since it was asked to, or a slow record would be asked twice.
 */
const begunCalls = (tools: CallTools, slice: Slice): BegunCalls => {
  const { begin, clock, routing } = tools;
  let begun = new Map<number, BegunCall>();
  let left = slice;
  let isTrusted = false;
  const beginLeft = async (): Promise<void> => {
    const calls = await insist(tools, { grantIds: left }, () => begin(left));
    begun = new Map(calls.map((call) => [call.grantId, call]));
    isTrusted = true;
  };
  const isFresh = (call: BegunCall | undefined): boolean => {
    const lane = call === undefined ? undefined : routing.lane(call.laneId);
    if (call === undefined || lane === undefined) return true;
    return clock.nowMs() - call.begunAtMs <= freshForMs(lane, routing);
  };
  return {
    async next(grantId) {
      for (let begins = 0; begins < MOST_BEGINS; begins += 1) {
        if (isTrusted && isFresh(begun.get(grantId))) break;
        await beginLeft();
      }
      left = left.filter((id) => id !== grantId);
      return begun.get(grantId) ?? null;
    },
    distrust() {
      isTrusted = false;
    },
  };
};

/** The hours of its batch may have ended, or the user changed his mind. */
const LONGEST_FRESH_MS = 1_000;

/** Half of the shortest margin of the lane's windows; the way to the provider has the other half. */
const freshForMs = (lane: Lane, routing: Routing): number => {
  const limits = [...lane.limits, ...(routing.provider(lane.providerId)?.limits ?? [])];
  return Math.min(LONGEST_FRESH_MS, ...limits.map(({ window }) => marginMs(window) / 2));
};

/** A call that has come back, and what the record is told about it. */
interface MadeCall<Verdict = Answer | Failure> {
  readonly verdict: Verdict;
  readonly finished: FinishedCall;
}

/** A fault of ours in the middle of a call: the request fails with what is known, and the batch goes on without it. */
const givenUp = ({ log }: CallTools, call: BegunCall, error: unknown): MadeCall<Failure> => {
  const reason = shortReason(
    `fault in Nightshift: ${error instanceof Error ? error.message : String(error)}`,
  );
  log.error(
    { grantId: call.grantId, requestId: call.requestId, laneId: call.laneId, err: error },
    'call.faulted',
  );
  const verdict: Failure = { kind: 'unknown', status: null, reason };
  return { verdict, finished: faulted(call, verdict) };
};

const makeCall = async (tools: CallTools, begun: BegunCall): Promise<MadeCall> => {
  refuseDeadly(begun);
  const { lane, provider } = placeOf(tools.routing, begun);
  const sent = callBody(begun, lane, provider);
  // Others of its slice may have come first, and a connection has to be made.
  let madeAtMs = begun.begunAtMs;
  const isMade = (): void => {
    madeAtMs = Math.max(madeAtMs, Math.floor(tools.clock.nowMs()));
  };
  isMade();
  const reply = await tools.provider.chat(withPatience(lane, begun), sent.body, {
    signal: tools.signal,
    sent: isMade,
  });
  const nowMs = tools.clock.nowMs();
  const made = { ...begun, begunAtMs: madeAtMs };
  const verdict = judgeReply(reply, { call: made, lane, provider, sent, nowMs });
  const call = verdict.kind === 'answer' ? made : await withPast(tools, made);
  const returned = {
    call,
    lane,
    reply,
    verdict,
    told: toldLimits(provider.dialect, reply, verdict),
    capTokens: sent.capTokens,
    nowMs,
    random01: tools.random01(),
  };
  const { finished, effect } = settleCall(returned, tools.routing);
  // The lane first: a slot that is freed before the lane is closed would be granted again at once.
  if (verdict.kind !== 'answer' && !isFailedProbe(call, verdict)) {
    await insist(tools, { grantId: call.grantId }, () => applyEffect(tools, effect, lane, verdict)).catch(
      (error: unknown) => tools.log.error({ laneId: lane.id, err: error }, 'lane.unmarked'),
    );
  }
  logOutcome(tools.log, call, finished, nowMs);
  return { verdict, finished };
};

/** A call that failed may be the second one of its request, of which the first has failed meanwhile. */
const withPast = async (tools: CallTools, call: BegunCall): Promise<BegunCall> => {
  const { grantId } = call;
  const past = await insist(tools, { grantId }, () => tools.pastOf(grantId)).catch(() => null);
  return { ...call, ...past };
};

/** A lane that is slow by its own measure is given up before its time limit, and never after. */
const withPatience = (lane: Lane, call: BegunCall): Lane =>
  call.patienceMs === null || call.patienceMs >= lane.timeoutMs
    ? lane
    : { ...lane, timeoutMs: Math.ceil(call.patienceMs) };

/** It went beyond what is known to be allowed: unless the provider says how long to stay away, the lane goes on with that. */
const isFailedProbe = ({ isProbe }: BegunCall, verdict: Failure): boolean =>
  isProbe && verdict.kind === 'minute-limit' && verdict.retryAtMs === null;

/** Tells the record an outcome; the fence by the grant makes it safe to tell twice. */
const tellRecord = async (tools: CallTools, finished: FinishedCall): Promise<void> =>
  await insist(tools, { grantId: finished.grantId }, () => tools.finish(finished));

const refuseDeadly = ({ trail }: BegunCall): void => {
  const losses = trail.filter((attempt) => attempt.outcome === 'lost' && !attempt.isBeforeRetry).length;
  if (losses >= MOST_LOSSES) throw new Error(`${losses} processes died in the middle of this call`);
};

const placeOf = (routing: Routing, call: BegunCall): { lane: Lane; provider: Provider } => {
  const lane = routing.lane(call.laneId);
  const provider = lane === undefined ? undefined : routing.provider(lane.providerId);
  if (lane === undefined || provider === undefined) {
    throw new Error(`Expected lane ${call.laneId} in this process's configuration, got none with that name.`);
  }
  return { lane, provider };
};

const applyEffect = async (
  tools: CallTools,
  effect: LaneEffect,
  lane: Lane,
  failure: Failure,
): Promise<void> => {
  const { health, routing, clock, log } = tools;
  const { kind, reason } = failure;
  switch (effect.kind) {
    case 'none':
      return;
    case 'trip':
      return await health.sick(effect.scope === 'lane' ? lane.id : lane.providerId, reason, tools.random01());
    case 'retire':
      return await health.gone(lane.id, reason);
    case 'wait':
    case 'close': {
      const scope = effect.scope === 'lane' ? lane.id : lane.providerId;
      const untilMs =
        effect.untilMs ??
        declaredResetAtMs(routing, scope, effect.kind === 'close' ? effect.period : 'day', clock.nowMs());
      const needsUser = effect.kind === 'close' && effect.needsUser;
      await health.close({ scope, untilMs, kind, reason, needsUser });
      log.warn({ scope, kind, reason, untilMs }, 'lane.closed');
    }
  }
};

const logOutcome = (log: Log, call: BegunCall, finished: FinishedCall, nowMs: number): void => {
  const { grantId, requestId, laneId, begunAtMs } = call;
  log.info(
    {
      grantId,
      requestId,
      laneId,
      outcome: finished.outcome,
      reason: finished.reason,
      next: finished.next.kind,
      durationMs: Math.round(nowMs - begunAtMs),
    },
    'call.finished',
  );
};
