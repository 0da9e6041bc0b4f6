import { describe, expect, it } from 'vitest';
import type { BegunCall, PastAttempt } from '../../src/app/ledger.ts';
import type { ProviderReply, Routing } from '../../src/app/ports.ts';
import { attemptNotes, faulted, type Returned, settleCall } from '../../src/app/settle-call.ts';
import type { Answer } from '../../src/core/failures/classify-answer.ts';
import type { Failure } from '../../src/core/failures/failure.ts';
import { FAILURES } from './failures.ts';
import { aCall, aLane, aProvider, NOW_MS, routingFor } from './fakes.ts';

const SMALL = aLane('alpha/small');
const LARGE = aLane('alpha/large', { contextTokens: 131_072, maxOutputTokens: 8_192 });
const OTHER_SMALL = aLane('beta/small');
const OTHER_LARGE = aLane('beta/large', { contextTokens: 131_072 });
const EVERYWHERE = routingFor([aProvider([SMALL, LARGE]), aProvider([OTHER_SMALL, OTHER_LARGE])]);
const ONLY_HERE = routingFor([aProvider([SMALL])]);
const ONLY_ALPHA = routingFor([aProvider([SMALL, LARGE])]);

const ANSWER: Answer = {
  kind: 'answer',
  text: 'Yes.',
  usage: { promptTokens: 12, completionTokens: 2 },
  finishReason: 'stop',
  model: 'small',
};
const LOST: PastAttempt = {
  lane: 'beta/small',
  outcome: 'lost',
  reason: null,
  begunAtMs: NOW_MS - 9_000,
  durationMs: 4_000,
  promptTokens: null,
  completionTokens: null,
  isBeforeRetry: false,
};
/** The same, as its line tells it. */
const [LOST_NOTE] = attemptNotes([LOST]);

const http = (status: number, bodyText: string, headers: Record<string, string> = {}): ProviderReply => ({
  kind: 'http',
  status,
  headers,
  bodyText,
});

const returned = (
  verdict: Answer | Failure,
  call: Partial<BegunCall> = {},
  rest: Partial<Returned> = {},
): Returned => ({
  call: aCall(call),
  lane: SMALL,
  reply: verdict.kind === 'answer' ? http(200, '{"choices":[]}') : http(500, ''),
  verdict,
  told: null,
  capTokens: 320,
  nowMs: NOW_MS,
  random01: 0.5,
  ...rest,
});

const settle = (verdict: Answer | Failure, call: Partial<BegunCall> = {}, routing = EVERYWHERE) =>
  settleCall(returned(verdict, { poolLaneIds: poolOf(routing), ...call }), routing).finished;

/** The pool `all` as a request of it knows it. */
const poolOf = (routing: Routing): string[] => routing.lanesOf('all').map((lane) => lane.id);

const effectOf = (failure: Failure) => settleCall(returned(failure), EVERYWHERE).effect;

const finalLine = ({ next }: { readonly next: { readonly kind: string; readonly line?: string } }): unknown =>
  JSON.parse(next.line ?? 'null');

const AT_ONCE = { kind: 'pending', avoidUntilMs: null };

describe('settleCall of an answer', () => {
  it('stores the body as it came, settles to the real usage and leaves the lane alone', () => {
    const bodyText = '{"choices":[{"index":0}],\n "seed":12345678901234567890}';
    const reply = http(200, bodyText, { 'x-request-id': 'req-9' });
    const { finished, effect } = settleCall(returned(ANSWER, {}, { reply }), EVERYWHERE);
    expect(effect).toEqual({ kind: 'none' });
    expect(finished).toMatchObject({
      grantId: 7,
      outcome: 'succeeded',
      reason: null,
      usage: ANSWER.usage,
      settlement: 'usage',
      countsAsTry: true,
      next: { kind: 'succeeded' },
    });
    expect('line' in finished.next && finished.next.line).toContain('"seed":12345678901234567890');
    expect(finalLine(finished)).toMatchObject({
      id: 'batch_req_42',
      custom_id: 'line-1',
      response: { status_code: 200, request_id: 'req-9' },
      error: null,
    });
  });

  it('keeps the estimate where the provider does not say what it took', () => {
    const finished = settle({ ...ANSWER, usage: null });
    expect(finished).toMatchObject({ usage: null, settlement: 'estimate' });
  });

  it('tells the whole trail, the attempts before and this one last', () => {
    expect(finalLine(settle(ANSWER, { trail: [LOST] }))).toMatchObject({
      nightshift: {
        lane: 'alpha/small',
        attempts: [
          LOST_NOTE,
          {
            lane: 'alpha/small',
            outcome: 'succeeded',
            reason: null,
            begunAtMs: NOW_MS - 1_500,
            durationMs: 1_500,
            promptTokens: 12,
            completionTokens: 2,
          },
        ],
      },
    });
  });
});

describe('settleCall of a failure', () => {
  it.each(['minute-limit', 'day-limit', 'no-money', 'bad-key', 'aborted'] as const)(
    'lets a request wait for any lane after %s, this one included, at no try',
    (kind) => {
      const finished = settle(FAILURES[kind], {}, ONLY_HERE);
      expect(finished).toMatchObject({ outcome: kind, reason: 'because', countsAsTry: false, next: AT_ONCE });
      expect(finished).toMatchObject({ excluded: [], avoided: [] });
    },
  );

  it.each([
    ['bad-request', ['alpha/small']],
    ['gone', ['alpha/small']],
    ['unknown', ['alpha/small']],
    ['useless-answer', ['alpha/small']],
    ['forbidden', ['alpha']],
    ['too-large', ['alpha/small', 'beta/small']],
  ] as const)('excludes for good what cannot serve a request after %s', (kind, excluded) => {
    const finished = settle(FAILURES[kind], { excluded: ['gamma'] });
    expect(finished.next).toEqual(AT_ONCE);
    expect(finished.excluded.toSorted()).toEqual([...excluded, 'gamma'].toSorted());
  });

  it.each(['bad-request', 'gone', 'unknown', 'useless-answer', 'forbidden', 'too-large'] as const)(
    'fails a request after %s where no other lane is left',
    (kind) => {
      const { finished } = settleCall(returned(FAILURES[kind], { trail: [LOST] }), ONLY_HERE);
      expect(finished.next.kind).toBe('failed');
      expect(finalLine(finished)).toMatchObject({
        custom_id: 'line-1',
        response: {
          status_code: 500,
          body: { error: { message: 'because', code: kind.replaceAll('-', '_') } },
        },
        nightshift: { lane: 'alpha/small', attempts: [LOST_NOTE, { outcome: kind, reason: 'because' }] },
      });
    },
  );

  it('does not count a lane as left that is excluded, of an excluded provider, too small or of another pool', () => {
    expect(settle(FAILURES.gone, { excluded: ['alpha/large', 'beta'] }).next.kind).toBe('failed');
    expect(settle(FAILURES.gone, { excluded: ['alpha/large'] }).next.kind).toBe('pending');
    const lanes = { excluded: ['alpha/large', 'beta/large'] };
    expect(settle(FAILURES.gone, { ...lanes, promptTokens: 9_000 }).next.kind).toBe('failed');
    const outputs = { ...lanes, outputIsAsked: true, outputTokens: 4_096, mostOutputTokens: 4_096 };
    expect(settle(FAILURES.gone, outputs).next.kind).toBe('pending');
    const pools = [{ name: 'all', laneIds: ['alpha/small'] }];
    const elsewhere = routingFor(EVERYWHERE.providers, pools);
    expect(settle(FAILURES.gone, {}, elsewhere).next.kind).toBe('failed');
  });

  it('leaves a sick lane to others for five minutes where another can serve', () => {
    const finished = settle(FAILURES.sick, { avoided: ['beta/small'] });
    expect(finished).toMatchObject({
      next: { kind: 'pending', avoidUntilMs: NOW_MS + 300_000 },
      avoided: ['beta/small', 'alpha/small'],
      excluded: [],
      countsAsTry: false,
    });
  });

  it('avoids all lanes of a provider that cannot be reached', () => {
    const finished = settle(FAILURES.unreachable);
    expect(finished).toMatchObject({ avoided: ['alpha'], settlement: 'release' });
    expect(settle(FAILURES.unreachable, {}, ONLY_ALPHA).next.kind).toBe('parked');
  });

  it('parks a request with nothing avoided where no other lane is left, so that a pool of one survives', () => {
    const finished = settle(FAILURES.sick, {}, ONLY_HERE);
    expect(finished).toMatchObject({ next: { kind: 'parked', untilMs: NOW_MS + 500 }, avoided: [] });
    const avoided = ['alpha/large', 'beta'];
    expect(settle(FAILURES.sick, { avoided }).next.kind).toBe('parked');
  });

  it('parks it rather than have it paid for elsewhere, but for its last try', () => {
    const oneFree = routingFor([aProvider([SMALL]), aProvider([OTHER_SMALL], { tier: 'paid' })]);
    const parked = { next: { kind: 'parked', untilMs: NOW_MS + 500 }, avoided: [] };
    expect(settle(FAILURES.sick, {}, oneFree)).toMatchObject(parked);
    const worked = { ...FAILURES.sick, mayHaveWorked: true };
    expect(settle(worked, { tries: 1 }, oneFree)).toMatchObject({ ...parked, countsAsTry: true });
    expect(settle(worked, { tries: 2 }, oneFree)).toMatchObject({
      next: { kind: 'pending' },
      avoided: ['alpha/small'],
      countsAsTry: true,
    });
    const oneFreeLeft = routingFor([aProvider([SMALL], { tier: 'paid' }), aProvider([OTHER_SMALL])]);
    expect(settle(FAILURES.sick, {}, oneFreeLeft)).toMatchObject({ next: { kind: 'pending' } });
    const allPaid = routingFor([aProvider([SMALL, LARGE], { tier: 'paid' })]);
    expect(settle(FAILURES.sick, {}, allPaid)).toMatchObject({ next: { kind: 'pending' } });
  });

  it('backs off longer after each sick or unreachable attempt before', () => {
    const trail = [
      { ...LOST, outcome: 'sick' },
      { ...LOST, outcome: 'unreachable' },
    ];
    expect(settle(FAILURES.sick, { trail }, ONLY_HERE).next).toEqual({
      kind: 'parked',
      untilMs: NOW_MS + 2_000,
    });
  });

  it('leaves a refused parameter out from then on and goes on anywhere', () => {
    const refused: Failure = { ...FAILURES['bad-request'], parameter: 'seed' };
    const finished = settle(refused, { droppedParameters: ['top_k'] }, ONLY_HERE);
    expect(finished).toMatchObject({
      next: AT_ONCE,
      droppedParameters: ['top_k', 'seed'],
      countsAsTry: false,
    });
  });

  it('holds nothing against a request that was before somebody retried it', () => {
    const before = { ...LOST, isBeforeRetry: true };
    const trail = [
      { ...before, outcome: 'sick' },
      { ...before, outcome: 'bad-request' },
    ];
    expect(settle(FAILURES.sick, { trail }, ONLY_HERE).next).toEqual({
      kind: 'parked',
      untilMs: NOW_MS + 500,
    });
    expect(settle(FAILURES['bad-request'], { trail }).next.kind).toBe('pending');
  });

  it('tells what was before a retry all the same', () => {
    const finished = settle(ANSWER, { trail: [{ ...LOST, isBeforeRetry: true }] });
    expect(finalLine(finished)).toMatchObject({
      nightshift: { attempts: [LOST_NOTE, { outcome: 'succeeded' }] },
    });
  });

  it('leaves a request that is too large to lanes larger than the bound that was named', () => {
    const failure: Failure = { kind: 'too-large', limitTokens: 4_096, reason: 'n_ctx' };
    const onLarge = returned(failure, { poolLaneIds: poolOf(EVERYWHERE) }, { lane: LARGE });
    expect(settleCall(onLarge, EVERYWHERE).finished).toMatchObject({
      next: { kind: 'pending' },
      excluded: ['alpha/large'],
    });
    const unnamed = { ...onLarge, verdict: { ...failure, limitTokens: null } };
    expect(settleCall(unnamed, EVERYWHERE).finished.next.kind).toBe('failed');
  });

  it('fails a request that a second provider calls bad, but not one that the same provider does again', () => {
    const here = { ...LOST, lane: 'alpha/small', outcome: 'bad-request' };
    expect(settle(FAILURES['bad-request'], { trail: [here] }).next.kind).toBe('pending');
    const beside = { ...here, lane: 'alpha/large' };
    expect(settle(FAILURES['bad-request'], { trail: [beside] }).next.kind).toBe('pending');
    const there = { ...here, lane: 'beta/small' };
    expect(settle(FAILURES['bad-request'], { trail: [there] }).next.kind).toBe('failed');
  });

  it('asks again with a larger cap after an answer that ours cut off', () => {
    const usage = { promptTokens: 190, completionTokens: 320 };
    const cut: Failure = { ...FAILURES['useless-answer'], flaw: 'truncated-by-our-cap', usage };
    const finished = settle(cut, {}, ONLY_HERE);
    expect(finished).toMatchObject({
      next: AT_ONCE,
      outputCapTokens: 1_280,
      excluded: [],
      usage,
      settlement: 'usage',
      countsAsTry: true,
    });
    expect(finalLine(settle(cut, { tries: 3 }))).toMatchObject({
      nightshift: { attempts: [{ promptTokens: 190, completionTokens: 320 }] },
    });
  });

  it('fails where the larger cap fits no lane that is left', () => {
    const cut: Failure = { ...FAILURES['useless-answer'], flaw: 'truncated-by-our-cap' };
    expect(settle(cut, { promptTokens: 7_800 }, ONLY_HERE).next.kind).toBe('failed');
    expect(settle(cut, { promptTokens: 7_800 }, ONLY_ALPHA).next.kind).toBe('pending');
  });

  it('fails when the tries are spent, whatever lanes are left', () => {
    const worked: Failure = { ...FAILURES.sick, mayHaveWorked: true };
    expect(settle(worked, { tries: 2 }).next.kind).toBe('pending');
    expect(settle(worked, { tries: 3 }).next.kind).toBe('failed');
  });

  it('says so on the line itself where no response came', () => {
    const reply: ProviderReply = { kind: 'transport', problem: 'unknown', message: 'x' };
    const spent = returned(FAILURES.unknown, {}, { reply });
    expect(finalLine(settleCall(spent, ONLY_HERE).finished)).toMatchObject({
      response: null,
      error: { code: 'unknown', message: 'because' },
    });
  });

  it('tells what the failure means for the lane', () => {
    expect(effectOf(FAILURES['minute-limit'])).toEqual({
      kind: 'wait',
      scope: 'lane',
      untilMs: NOW_MS + 20_000,
    });
    expect(effectOf(FAILURES['day-limit'])).toMatchObject({ kind: 'close', untilMs: null, period: 'day' });
    expect(effectOf(FAILURES.gone)).toEqual({ kind: 'retire' });
    expect(effectOf(FAILURES.unreachable)).toEqual({ kind: 'trip', scope: 'provider' });
  });
});

describe('faulted', () => {
  it('fails the request with what is known and keeps the call counted', () => {
    const finished = faulted(aCall({ trail: [LOST] }), FAILURES.unknown);
    expect(finished).toMatchObject({
      outcome: 'unknown',
      settlement: 'estimate',
      usage: null,
      countsAsTry: true,
      next: { kind: 'failed' },
    });
    expect(finalLine(finished)).toMatchObject({
      id: 'batch_req_42',
      custom_id: 'line-1',
      response: null,
      error: { code: 'unknown', message: 'because' },
      nightshift: { lane: 'alpha/small' },
    });
  });

  it('tells the whole trail, the attempt that was broken off last', () => {
    expect(finalLine(faulted(aCall({ trail: [LOST] }), FAILURES.unknown))).toMatchObject({
      nightshift: {
        attempts: [
          LOST_NOTE,
          {
            lane: 'alpha/small',
            outcome: 'unknown',
            reason: 'because',
            begunAtMs: NOW_MS - 1_500,
            durationMs: null,
          },
        ],
      },
    });
  });
});
