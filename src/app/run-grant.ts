/** The worker's whole job: begin the calls of a grant, make them, judge what came back, and tell the record. */
import { type Answer, classifyAnswer } from '../core/failures/classify-answer.ts';
import { wantsJson } from '../core/lines/chat-request.ts';
import { classifyFailure } from '../core/failures/classify-failure.ts';
import type { ProviderSignal } from '../core/failures/evidence.ts';
import type { Failure } from '../core/failures/failure.ts';
import type { LaneEffect } from '../core/failures/lane-effect.ts';
import type { Lane, Provider } from '../core/model.ts';
import { marginMs } from '../core/quota/quota.ts';
import { shortReason } from '../core/failures/reason.ts';
import { callBody, type CallBody } from './call-body.ts';
import { declaredResetAtMs } from './declared-reset.ts';
import { insist } from './insist.ts';
import type {
  BegunCall,
  Clock,
  FinishedCall,
  HealthBook,
  Log,
  ProviderClient,
  ProviderReply,
  Routing,
} from './ports.ts';
import { faulted, settleCall } from './settle-call.ts';

/** What making a call needs. */
export interface CallTools {
  readonly begin: (grantId: number) => Promise<BegunCall | null>;
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
 * Runs one grant to its end. A grant that may not begin any more is left alone.
 *
 * @throws CallFailed after the record has been told, so that the board shows the kind and the reason.
 */
export const runGrant = async (tools: CallTools, grantId: number): Promise<void> => {
  const call = await beginFresh(tools, grantId);
  if (call === null) return;
  const verdict = await runCall(tools, call).catch((error: unknown) => giveUp(tools, call, error));
  if (verdict.kind !== 'answer') throw new CallFailed(`${verdict.kind}: ${verdict.reason}`);
};

/** Begins are tried this often; a process that is held up every time is better late than never. */
const MOST_BEGINS = 3;

/** Begins the call, and again if so much time went by meanwhile that the provider might count it elsewhere than we do. */
const beginFresh = async (tools: CallTools, grantId: number): Promise<BegunCall | null> => {
  const { begin, clock, routing } = tools;
  for (let begins = 1; ; begins += 1) {
    const askedAtMs = clock.nowMs();
    const call = await insist(tools, { grantId }, () => begin(grantId));
    if (call === null || begins === MOST_BEGINS) return call;
    const lane = routing.lane(call.laneId);
    if (lane === undefined || clock.nowMs() - askedAtMs <= patienceMs(lane, routing)) return call;
  }
};

/** Half of the shortest margin of the lane's windows; the way to the provider has the other half. */
const patienceMs = (lane: Lane, routing: Routing): number => {
  const limits = [...lane.limits, ...(routing.provider(lane.providerId)?.limits ?? [])];
  return Math.min(...limits.map(({ window }) => marginMs(window))) / 2;
};

/** A fault of ours in the middle of a call: the request fails with what is known, and the batch goes on without it. */
const giveUp = async (tools: CallTools, call: BegunCall, error: unknown): Promise<Failure> => {
  const reason = shortReason(
    `fault in Nightshift: ${error instanceof Error ? error.message : String(error)}`,
  );
  tools.log.error(
    { grantId: call.grantId, requestId: call.requestId, laneId: call.laneId, err: error },
    'call.faulted',
  );
  const failure: Failure = { kind: 'unknown', status: null, reason };
  await tellRecord(tools, faulted(call, failure));
  return failure;
};

const runCall = async (tools: CallTools, call: BegunCall): Promise<Answer | Failure> => {
  refuseDeadly(call);
  const { lane, provider } = placeOf(tools.routing, call);
  const sent = callBody(call, lane, provider);
  const reply = await tools.provider.chat(lane, sent.body, tools.signal);
  const nowMs = tools.clock.nowMs();
  const verdict = judge(reply, { call, lane, provider, sent, nowMs });
  const returned = {
    call,
    lane,
    reply,
    verdict,
    capTokens: sent.capTokens,
    nowMs,
    random01: tools.random01(),
  };
  const { finished, effect } = settleCall(returned, tools.routing);
  // The lane first: a slot that is freed before the lane is closed would be granted again at once.
  if (verdict.kind !== 'answer') {
    await insist(tools, { grantId: call.grantId }, () => applyEffect(tools, effect, lane, verdict));
  }
  await tellRecord(tools, finished);
  logOutcome(tools.log, call, finished, nowMs);
  return verdict;
};

/** Tells the record an outcome; the fence by the grant makes it safe to tell twice. */
const tellRecord = async (tools: CallTools, finished: FinishedCall): Promise<void> =>
  await insist(tools, { grantId: finished.grantId }, () => tools.finish(finished));

const refuseDeadly = ({ trail }: BegunCall): void => {
  const losses = trail.filter((attempt) => attempt.outcome === 'lost').length;
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

interface Circumstances {
  readonly call: BegunCall;
  readonly lane: Lane;
  readonly provider: Provider;
  readonly sent: CallBody;
  readonly nowMs: number;
}

const judge = (
  reply: ProviderReply,
  { call, lane, provider, sent, nowMs }: Circumstances,
): Answer | Failure => {
  const common = { dialect: provider.dialect, model: lane.model, nowMs };
  if (reply.kind === 'transport') {
    return classifyFailure({
      ...common,
      status: null,
      headers: {},
      bodyText: reply.message,
      transport: reply.problem,
    });
  }
  const signal: ProviderSignal = {
    ...common,
    status: reply.status,
    headers: reply.headers,
    bodyText: reply.bodyText,
  };
  if (reply.status < 200 || reply.status > 299) return classifyFailure(signal);
  const asked = {
    wantsJson: wantsJson(sent.body),
    capTokens: sent.capTokens,
    isCapOurs: !call.outputIsAsked,
  };
  return believable(classifyAnswer(signal, asked), lane);
};

/** No call takes twice its model's context. A usage that says so is not believed, and the estimate stands. */
const believable = (verdict: Answer | Failure, { contextTokens }: Lane): Answer | Failure => {
  if (!('usage' in verdict) || verdict.usage === null) return verdict;
  const { promptTokens, completionTokens } = verdict.usage;
  return promptTokens + completionTokens > contextTokens * 2 ? { ...verdict, usage: null } : verdict;
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
