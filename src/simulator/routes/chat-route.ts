/** `POST /<provider>/v1/chat/completions`: from the arrival of a call to its line in the log. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallRecord, Outcome } from '../call-log.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Reply } from '../dialects/dialect.ts';
import type { FaultRule } from '../faults/fault.ts';
import { frontFaultReply } from '../faults/fault-reply.ts';
import { send } from './http-io.ts';
import type { AdmittedCall, Verdict } from '../judge-call.ts';
import { judgeCall } from '../judge-call.ts';
import type { CallSize } from '../windows/meter.ts';
import { settle } from '../windows/meter.ts';
import type { Performance } from '../perform-call.ts';
import { performCall } from '../perform-call.ts';
import type { ProviderState, Tally, World } from '../state.ts';
import { enter, leave, note } from '../state.ts';

/** One HTTP exchange on its way. */
export interface Exchange {
  readonly world: World;
  readonly provider: ProviderState;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly bodyText: string;
  /** Timers of answers on their way, so that closing the server can clear them. */
  readonly timers: Set<NodeJS.Timeout>;
}

const NOTHING: CallSize = { promptTokens: 0, outputTokens: 0 };

/** Serves one chat completion. */
export function serveChat(exchange: Exchange): void {
  const { world, provider, incoming, bodyText } = exchange;
  const nowMs = world.clock.nowMs();
  const { authorization } = incoming.headers;
  const verdict = judgeCall(world, { provider, authorization, bodyText, nowMs });
  const tallies = talliesFor(provider, verdict.request);
  for (const tally of tallies) tally.calls += 1;
  if (verdict.kind === 'admitted') serveAdmitted(exchange, verdict, { tallies, nowMs });
  else serveTurnedAway(exchange, verdict, { tallies, nowMs });
}

interface Bookkeeping {
  readonly tallies: readonly Tally[];
  readonly nowMs: number;
}

function talliesFor(provider: ProviderState, request: ChatRequest | null): readonly Tally[] {
  const state = request === null ? undefined : provider.models.get(request.model);
  return state === undefined ? [provider.tally] : [state.tally, provider.tally];
}

function serveTurnedAway(
  exchange: Exchange,
  verdict: Exclude<Verdict, AdmittedCall>,
  book: Bookkeeping,
): void {
  const { provider, response } = exchange;
  const fault = verdict.kind === 'struck' ? verdict.fault : null;
  const outcome: Outcome =
    verdict.kind === 'struck' ? { kind: 'failed', failure: verdict.fault.kind } : verdict.outcome;
  const reply = turnedAwayReply(exchange, verdict, book.nowMs);
  note(book.tallies, outcome, NOTHING);
  record(exchange, { ...book, request: verdict.request, fault, outcome, status: reply?.status ?? null });
  if (reply === null) response.destroy();
  else
    send(
      response,
      reply,
      tellsGauges(provider, verdict) ? gaugeHeaders(provider, verdict.request, book.nowMs) : {},
    );
}

/** Refusals for quota tell how the limits stand; other refusals of a known caller do at some providers. */
function tellsGauges({ dialect }: ProviderState, verdict: Exclude<Verdict, AdmittedCall>): boolean {
  if (verdict.kind === 'struck') return false;
  if (verdict.outcome.kind === 'rejected') return true;
  return dialect.gaugesEveryReply === true && verdict.complaint.kind !== 'unauthorized';
}

function turnedAwayReply(
  { provider }: Exchange,
  verdict: Exclude<Verdict, AdmittedCall>,
  nowMs: number,
): Reply | null {
  if (verdict.kind === 'refused') return provider.dialect.refuse(verdict.complaint);
  const { request, fault } = verdict;
  return frontFaultReply({ provider, request, fault, nowMs });
}

function serveAdmitted(exchange: Exchange, call: AdmittedCall, book: Bookkeeping): void {
  const { world, provider, response, timers } = exchange;
  world.admitted += 1;
  const chance = { jitter01: world.jitter01, sequence: world.admitted, nowMs: book.nowMs };
  const performance = performCall(call, provider, chance);
  enter(book.tallies);
  const end = endOnce(exchange, { call, performance, book });
  response.once('close', () => end('client-left'));
  if (performance.reply === null && performance.silence === 'hang') return;
  if (performance.delayMs <= 0) return end('done');
  const timer = setTimeout(() => {
    timers.delete(timer);
    end('done');
  }, performance.delayMs);
  timers.add(timer);
  response.once('close', () => {
    clearTimeout(timer);
    timers.delete(timer);
  });
}

interface Running {
  readonly call: AdmittedCall;
  readonly performance: Performance;
  readonly book: Bookkeeping;
}

/** Settles, tallies, logs and answers, the first time only: the answer and the client's leaving may both come. */
function endOnce(exchange: Exchange, running: Running): (how: 'done' | 'client-left') => void {
  let ended = false;
  return (how) => {
    if (ended) return;
    ended = true;
    endAdmitted(exchange, running, how);
  };
}

function endAdmitted(
  exchange: Exchange,
  { call, performance, book }: Running,
  how: 'done' | 'client-left',
): void {
  const { world, provider, response } = exchange;
  const outcome = how === 'done' ? performance.outcome : leftOutcome(call.fault);
  const status = how === 'done' ? (performance.reply?.status ?? null) : null;
  leave(book.tallies);
  settle(call.ticket, performance.used, world.clock.nowMs());
  note(book.tallies, outcome, performance.used ?? NOTHING);
  const used = performance.used ?? NOTHING;
  record(exchange, {
    ...book,
    request: call.request,
    fault: call.fault,
    outcome,
    status,
    used,
    atMost: call.atMost,
  });
  if (how === 'client-left') return;
  if (performance.reply === null) response.destroy();
  else send(response, performance.reply, gaugeHeaders(provider, call.request, world.clock.nowMs(), used));
}

/** A client that gives up on a hanging call did what it should: the failure is the hang. */
function leftOutcome(fault: FaultRule | null): Outcome {
  return { kind: 'failed', failure: fault?.kind === 'hang' ? 'hang' : 'client-left' };
}

function gaugeHeaders(
  provider: ProviderState,
  request: ChatRequest | null,
  nowMs: number,
  used: CallSize = NOTHING,
): Readonly<Record<string, string>> {
  const meters =
    (request === null ? undefined : provider.models.get(request.model)?.meters) ?? provider.meters;
  return provider.dialect.gaugeHeaders({ meters, nowMs, costTokens: used.promptTokens + used.outputTokens });
}

interface Recorded extends Bookkeeping {
  readonly request: ChatRequest | null;
  readonly fault: FaultRule | null;
  readonly outcome: Outcome;
  readonly status: number | null;
  readonly used?: CallSize;
  readonly atMost?: CallSize;
}

function record({ world, provider, incoming }: Exchange, ended: Recorded): void {
  const { request, fault, outcome, status, nowMs, used = NOTHING, atMost = NOTHING } = ended;
  const header = incoming.headers['x-nightshift-request'];
  const entry: Omit<CallRecord, 'sequence'> = {
    arrivedAtMs: nowMs,
    durationMs: world.clock.nowMs() - nowMs,
    provider: provider.tier.id,
    model: request?.model ?? null,
    messagesHash: request?.messagesHash ?? null,
    customId: typeof header === 'string' ? header : (request?.customId ?? null),
    status,
    outcome,
    promptTokens: used.promptTokens,
    completionTokens: used.outputTokens,
    reservedOutputTokens: atMost.outputTokens,
    fault: fault?.kind ?? null,
  };
  world.log.append(entry);
}
