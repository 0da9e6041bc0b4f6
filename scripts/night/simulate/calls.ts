/** A call in a simulated night: it arrives, the provider counts it by its own windows, and an answer or a failure comes. */
import { bandOf } from '../../../src/core/plan/bands.ts';
import { OTHERS_FIRST_MS } from '../../../src/core/plan/lanes-back.ts';
import { begin, settle, type Settlement } from '../../../src/core/quota/quota.ts';
import { type FaultRule, isFrontFault } from '../../../src/simulator/faults/fault.ts';
import { admit, settle as settleTruly } from '../../../src/simulator/windows/meter.ts';
import type { NightDocument } from '../night.ts';
import type { Waiting } from './backlog.ts';
import { needOf } from './choosing.ts';
import { canServe, isOnTrial, type LaneState, noteFailure, noteSuccess } from './lane-state.ts';
import type { NightRun } from './night-run.ts';
import { ALL_LANES } from './route-book.ts';

/** A call that has been granted. */
export interface GrantedCall {
  readonly state: LaneState;
  readonly waiting: Waiting;
  readonly grant: number;
}

/** Grants on a lane what there is room for. */
export type GrantOn = (run: NightRun, state: LaneState) => void;

/** What a refusal or a dead server takes. */
const TURNED_AWAY_MS = 30;
const SLOW_MS = 5_000;
/** Where no other lane may have it, what failed is tried again after this long. */
const BACK_OFF_MS = 30_000;
/** A lane that refused a call and did not say for how long is left alone. */
const UNTOLD_WAIT_MS = 60_000;
/** A plan is made anew after so many answers: they tell of lengths what nothing did before. */
const TELLING_ANSWERS = [8, 64];

/** The call arrives; or it may not be made any more, and is taken back. */
export const beginCall = (run: NightRun, call: GrantedCall, grantOn: GrantOn): void => {
  const { state, waiting, grant } = call;
  const { quotas, nowMs } = run;
  const quota = quotas.of(state.provider.id);
  const begun = begin(quota, grant, nowMs);
  if (begun !== null) {
    quotas.put(state.provider.id, begun);
    makeCall(run, call, grantOn);
    return;
  }
  quotas.put(state.provider.id, settle(quota, grant, { kind: 'release' }, nowMs));
  state.underWay -= 1;
  putBack(run, waiting, grantOn);
  grantOn(run, state);
};

const makeCall = (run: NightRun, call: GrantedCall, grantOn: GrantOn): void => {
  const { state, waiting } = call;
  const { night, nowMs: sentAtMs, faults } = run;
  const { document } = waiting;
  state.calls += 1;
  const sent = { sentAtMs, capTokens: document.capTokens };
  state.open.add(sent);
  const target = { provider: state.provider.id, model: state.lane.model, hasParameter: () => false };
  const rule = faults.strike(target, sentAtMs - night.startsAtMs);
  const { unitCost } = state.lane;
  const size = { ...needOf(document), ...(unitCost === undefined ? {} : { unitCost }) };
  const admission = rule !== null && isFrontFault(rule) ? null : admit(state.truth, size, sentAtMs);
  const outcome = outcomeOf(rule, admission?.kind === 'refused');
  const durationMs = durationOf(run, state, { document, rule, outcome });
  run.events.push({
    atMs: sentAtMs + durationMs,
    run: () => {
      const outputTokens = outcome === 'answered' ? document.answerTokens : 0;
      state.underWay -= 1;
      state.open.delete(sent);
      if (admission?.kind === 'admitted') settleTruly(admission.ticket, { ...size, outputTokens }, run.nowMs);
      settleCall(run, call, { outcome, sentAtMs });
      finishCall(run, call, { outcome, durationMs, grantOn });
    },
  });
};

/** `refused` is the provider's no for its quota; `turned-away` calls it never saw. */
type Outcome = 'answered' | 'failed' | 'turned-away' | 'refused';

const outcomeOf = (rule: FaultRule | null, isRefused: boolean): Outcome => {
  if (isRefused) return 'refused';
  if (rule === null || rule.kind === 'slow') return 'answered';
  return isFrontFault(rule) ? 'turned-away' : 'failed';
};

const durationOf = (
  { random01 }: NightRun,
  { latency: { minMs, perOutputTokenMs = 0, jitterMs = 0 } }: LaneState,
  call: { readonly document: NightDocument; readonly rule: FaultRule | null; readonly outcome: Outcome },
): number => {
  const { document, rule, outcome } = call;
  if (outcome === 'turned-away' || outcome === 'refused') return TURNED_AWAY_MS;
  const slowMs = rule?.kind === 'slow' ? (rule.latencyMs ?? SLOW_MS) : 0;
  return minMs + perOutputTokenMs * document.answerTokens + jitterMs * random01() + slowMs;
};

const settleCall = (
  { quotas, nowMs }: NightRun,
  { state, waiting: { document }, grant }: GrantedCall,
  { outcome, sentAtMs }: { readonly outcome: Outcome; readonly sentAtMs: number },
): void => {
  const settlement = settlementOf(outcome, document);
  const settled = settle(quotas.of(state.provider.id), grant, settlement, nowMs, sentAtMs);
  quotas.put(state.provider.id, settled);
};

const settlementOf = (outcome: Outcome, { promptTokens, answerTokens }: NightDocument): Settlement => {
  switch (outcome) {
    case 'answered':
      return { kind: 'usage', usage: { promptTokens, completionTokens: answerTokens } };
    case 'failed':
      return { kind: 'prompt', promptTokens };
    case 'turned-away':
    case 'refused':
      return { kind: 'release' };
  }
};

const finishCall = (
  run: NightRun,
  { state, waiting }: GrantedCall,
  how: { readonly outcome: Outcome; readonly durationMs: number; readonly grantOn: GrantOn },
): void => {
  const { outcome, durationMs, grantOn } = how;
  if (outcome === 'answered') succeed(run, state, { document: waiting.document, durationMs });
  else if (outcome === 'refused') waitAfterRefusal(run, state, { waiting, grantOn });
  else failElsewhere(run, state, { waiting, grantOn });
  grantOn(run, state);
  for (const other of run.lanes)
    if (other !== state && other.provider.id === state.provider.id) grantOn(run, other);
};

const waitAfterRefusal = (
  run: NightRun,
  state: LaneState,
  { waiting, grantOn }: { readonly waiting: Waiting; readonly grantOn: GrantOn },
): void => {
  run.rejected += 1;
  state.opensAtMs = run.nowMs + UNTOLD_WAIT_MS;
  putBack(run, waiting, grantOn);
};

/** What failed here goes elsewhere for a while; where no other lane can have it, it waits. */
const failElsewhere = (
  run: NightRun,
  state: LaneState,
  { waiting: { document, routeId }, grantOn }: { readonly waiting: Waiting; readonly grantOn: GrantOn },
): void => {
  const { routes, nowMs, lanes } = run;
  noteFailure(state, nowMs);
  if (isOnTrial(state)) run.planIsStale = true;
  const avoided = [...routes.avoidedBy(routeId), state.lane.id];
  const others = lanes.filter((other) => !avoided.includes(other.lane.id));
  if (!others.some((other) => canServe(other, document))) {
    freeAt(run, { document, atMs: nowMs + BACK_OFF_MS, isLeft: () => true }, grantOn);
    return;
  }
  putBack(run, { document, routeId: routes.without(avoided), freeAtMs: nowMs + OTHERS_FIRST_MS }, grantOn);
  for (const other of others) grantOn(run, other);
};

/** It waits again, where it did before. */
const putBack = (run: NightRun, waiting: Waiting, grantOn: GrantOn): void => {
  const { document, freeAtMs } = waiting;
  run.backlog.add(waiting);
  if (freeAtMs === null) return;
  freeAt(run, { document, atMs: freeAtMs, isLeft: () => run.backlog.remove(waiting) }, grantOn);
};

/** From that instant on the document may go to every lane, if it is left till then. */
const freeAt = (
  run: NightRun,
  {
    document,
    atMs,
    isLeft,
  }: { readonly document: NightDocument; readonly atMs: number; readonly isLeft: () => boolean },
  grantOn: GrantOn,
): void => {
  run.events.push({
    atMs,
    run: () => {
      if (!isLeft()) return;
      run.backlog.add({ document, routeId: ALL_LANES, freeAtMs: null });
      for (const lane of run.lanes) grantOn(run, lane);
    },
  });
};

const succeed = (
  run: NightRun,
  state: LaneState,
  { document, durationMs }: { readonly document: NightDocument; readonly durationMs: number },
): void => {
  const { id, promptTokens, answerTokens } = document;
  run.done += 1;
  state.answered += 1;
  state.answeredTokens += answerTokens;
  run.answered.set(id, (run.answered.get(id) ?? 0) + 1);
  run.lastAnswerAtMs = run.nowMs;
  if (isOnTrial(state) || TELLING_ANSWERS.includes(run.done)) run.planIsStale = true;
  noteSuccess(state, durationMs);
  state.lastMs = run.nowMs - run.night.startsAtMs;
  state.tokens += promptTokens + answerTokens;
  const band = bandOf(promptTokens);
  const seen = run.answers.get(band) ?? { answers: 0, tokens: 0 };
  run.answers.set(band, { answers: seen.answers + 1, tokens: seen.tokens + answerTokens });
};
