/**
 * From what a call left behind to one kind of failure. Which signs mean what is the table in failure-signs.ts; here the
 * chosen row is filled in with what the evidence says.
 */
import { type Evidence, gatherEvidence, namedBound, namedParameter } from './evidence.ts';
import type { ProviderSignal, TransportFault } from './evidence.ts';
import type { DayLimit, Failure, NamedLimit } from './failure.ts';
import { FAILURE_SIGNS } from './failure-signs.ts';
import { shortReason } from './reason.ts';
import { retryInstant } from './retry-instant.ts';
import { nextUtcMidnight } from './retry-time.ts';
import type { Row, Verdict } from './signs/row.ts';

/**
 * The kind of failure a call ended in. Total: never throws, whatever the signal holds; a refusal of a form nobody
 * described is `unknown`. A 2xx is taken to have no answer in it: see `classifyAnswer`.
 */
export function classifyFailure(signal: ProviderSignal): Failure {
  if (signal.transport !== undefined) return TRANSPORT_FAILURES[signal.transport];
  const evidence = gatherEvidence(signal);
  const row = FAILURE_SIGNS.find((candidate) => fits(candidate, evidence));
  const reason = reasonOf(evidence);
  return row === undefined
    ? { kind: 'unknown', status: signal.status, reason }
    : fulfil(row.means, evidence, reason);
}

/** What each way of getting no response means. After `reset` the provider may well have worked on. */
const TRANSPORT_FAILURES: Readonly<Record<TransportFault, Failure>> = {
  aborted: { kind: 'aborted', reason: 'the call was stopped from our side' },
  timeout: brokenOff('no answer within the time limit'),
  reset: brokenOff('the connection broke before the answer was whole'),
  refused: { kind: 'unreachable', reason: 'the connection was refused' },
  dns: { kind: 'unreachable', reason: 'the host name could not be resolved' },
  tls: { kind: 'unreachable', reason: 'no secure connection could be made' },
  unknown: brokenOff('the connection failed'),
};

function brokenOff(reason: string): Failure {
  return { kind: 'sick', mayHaveWorked: true, isCutOff: true, retryAtMs: null, reason };
}

function fits(row: Row, evidence: Evidence): boolean {
  return (
    (row.dialect === undefined || row.dialect === evidence.dialect) &&
    (row.status === undefined || (evidence.status !== null && row.status.includes(evidence.status))) &&
    (row.code === undefined || row.code.some((code) => evidence.body.codes.includes(code))) &&
    (row.text === undefined || row.text.test(evidence.words)) &&
    (row.when === undefined || row.when(evidence))
  );
}

function reasonOf({ status, body }: Evidence): string {
  const prefix = status === null ? 'no response' : `HTTP ${status}`;
  return shortReason(body.message === '' ? `${prefix} without an explanation` : `${prefix}: ${body.message}`);
}

/** Others say 200, and what follows is cut short, or no answer at all. */
function isRefusal({ status }: Evidence): boolean {
  return status !== null && status >= FIRST_REFUSAL_STATUS;
}

const FIRST_REFUSAL_STATUS = 400;

function fulfil(verdict: Verdict, evidence: Evidence, reason: string): Failure {
  switch (verdict.kind) {
    case 'minute-limit':
      return {
        ...verdict,
        retryAtMs: retryInstant(evidence),
        reason,
        ...(verdict.isConcurrency === true ? {} : namedIn(evidence)),
      };
    case 'day-limit':
      return dayLimit(verdict, evidence, reason);
    case 'sick':
      return {
        ...verdict,
        ...(verdict.mayHaveWorked && !isRefusal(evidence) ? { isCutOff: true } : {}),
        retryAtMs: retryInstant(evidence),
        reason,
      };
    case 'too-large':
      return { kind: 'too-large', limitTokens: namedBound(evidence), reason };
    case 'bad-request':
      return { kind: 'bad-request', parameter: namedParameter(evidence), reason };
    case 'useless-answer':
      return { ...verdict, usage: null, reason };
    case 'no-money':
    case 'bad-key':
    case 'forbidden':
    case 'gone':
      break;
  }
  return { kind: verdict.kind, reason };
}

type LongVerdict = Extract<Verdict, { kind: 'day-limit' }>;

function dayLimit({ kind, scope, period, reset }: LongVerdict, evidence: Evidence, reason: string): DayLimit {
  const saidAtMs = reset === 'window' ? null : retryInstant(evidence);
  const resetAtMs = saidAtMs ?? (reset === 'utc-midnight' ? nextUtcMidnight(evidence.nowMs) : null);
  return { kind, scope, period, resetAtMs, reason, ...namedIn(evidence) };
}

function namedIn({ named }: Evidence): { readonly named?: NamedLimit } {
  return named === null ? {} : { named };
}
