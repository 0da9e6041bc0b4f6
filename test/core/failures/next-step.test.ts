import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs, LONGEST_BACK_OFF_MS } from '../../../src/core/failures/back-off.ts';
import type { Failure, Sick } from '../../../src/core/failures/failure.ts';
import { DEFAULT_TRY_LIMIT, nextStep } from '../../../src/core/failures/next-step.ts';
import type { RequestHistory } from '../../../src/core/failures/situation.ts';

const NOW_MS = 1_795_158_000_000;
const CONTEXT = { nowMs: NOW_MS, random01: 0.5 };
const FRESH: RequestHistory = {
  triesBefore: 0,
  badRequestsBefore: 0,
  sickBefore: 0,
  droppedParameters: [],
  capTokens: 320,
  laneMaxOutputTokens: 8_192,
  isTrial: false,
};
const reason = 'r';

describe('nextStep', () => {
  it('lets the lane wait as long as it said, and costs the request no try', () => {
    const step = nextStep(
      { kind: 'minute-limit', scope: 'lane', retryAtMs: NOW_MS + 7_660, reason },
      FRESH,
      CONTEXT,
    );
    expect(step).toEqual({
      request: { kind: 'elsewhere', exclude: null, backAtMs: null },
      countsAsTry: false,
      effect: { kind: 'wait', scope: 'lane', untilMs: NOW_MS + 7_660 },
      settlement: 'request',
    });
  });

  it('waits as long as the window where nobody said how long, a third of a minute at most', () => {
    const limit = { kind: 'minute-limit', scope: 'provider', retryAtMs: null, reason } as const;
    const untilMs = (periodMs: number | null) => {
      const named = { metric: 'requests', periodMs, amount: null, used: null } as const;
      return nextStep({ ...limit, named }, FRESH, CONTEXT).effect;
    };
    expect(untilMs(1_000)).toMatchObject({ kind: 'wait', untilMs: NOW_MS + 1_000 });
    expect(untilMs(60_000)).toMatchObject({ kind: 'wait', untilMs: NOW_MS + 20_000 });
    expect(untilMs(null)).toMatchObject({ kind: 'wait', untilMs: NOW_MS + 20_000 });
    expect(nextStep(limit, FRESH, CONTEXT).effect).toMatchObject({ untilMs: NOW_MS + 20_000 });
  });

  it('holds nothing against a request that was tried on a lane known to be sick, unless it may be what makes it so', () => {
    const sick = { kind: 'sick', mayHaveWorked: true, status: null, retryAtMs: null, reason } as const;
    const spends = (changes: Partial<RequestHistory>): boolean =>
      nextStep(sick, { ...FRESH, ...changes }, CONTEXT).countsAsTry;
    expect(spends({})).toBe(true);
    expect(spends({ isTrial: true, sickBefore: 15 })).toBe(false);
    expect(spends({ isTrial: true, sickBefore: 16 })).toBe(true);
    const last = { triesBefore: DEFAULT_TRY_LIMIT - 1, isTrial: true };
    expect(nextStep(sick, { ...FRESH, ...last }, CONTEXT).request.kind).toBe('elsewhere');
  });

  it('waits but briefly for one of too many calls at once to end, or as long as it said', () => {
    const limit = { kind: 'minute-limit', scope: 'lane', isConcurrency: true, reason } as const;
    const unsaid = nextStep({ ...limit, retryAtMs: null }, FRESH, CONTEXT);
    expect(unsaid).toEqual({
      request: { kind: 'elsewhere', exclude: null, backAtMs: null },
      countsAsTry: false,
      effect: { kind: 'wait', scope: 'lane', untilMs: NOW_MS + 3_000 },
      settlement: 'request',
    });
    const said = nextStep({ ...limit, retryAtMs: NOW_MS + 30_000 }, FRESH, CONTEXT);
    expect(said.effect).toMatchObject({ untilMs: NOW_MS + 30_000 });
  });

  it('closes the owner of a day limit until its reset, or until its window ends', () => {
    const failure = {
      kind: 'day-limit',
      scope: 'provider',
      period: 'day',
      resetAtMs: NOW_MS + 3_600_000,
      reason,
    } as const;
    const close = { kind: 'close', scope: 'provider', period: 'day', needsUser: false };
    expect(nextStep(failure, FRESH, CONTEXT).effect).toEqual({ ...close, untilMs: NOW_MS + 3_600_000 });
    expect(nextStep({ ...failure, resetAtMs: null }, FRESH, CONTEXT).effect).toEqual({
      ...close,
      untilMs: null,
    });
  });

  it.each(['no-money', 'bad-key'] as const)('closes the provider and tells the user of %s', (kind) => {
    const step = nextStep({ kind, reason }, FRESH, CONTEXT);
    expect(step.effect).toMatchObject({ kind: 'close', scope: 'provider', needsUser: true });
    expect(step.countsAsTry).toBe(false);
  });

  it('leaves out a refused hint once, then goes elsewhere, then fails', () => {
    const failure = { kind: 'bad-request', parameter: 'seed', reason } as const;
    expect(nextStep(failure, FRESH, CONTEXT).request).toEqual({
      kind: 'retry-without-parameter',
      parameter: 'seed',
    });
    const dropped = { ...FRESH, droppedParameters: ['seed'] };
    expect(nextStep(failure, dropped, CONTEXT).request).toMatchObject({
      kind: 'elsewhere',
      exclude: 'lane',
      backAtMs: null,
    });
    expect(nextStep(failure, { ...dropped, badRequestsBefore: 1 }, CONTEXT).request).toEqual({
      kind: 'fail',
    });
  });

  it('never leaves out what the answer depends on', () => {
    for (const parameter of ['messages', 'response_format', 'tools', 'model', 'max_tokens']) {
      expect(nextStep({ kind: 'bad-request', parameter, reason }, FRESH, CONTEXT).request.kind).toBe(
        'elsewhere',
      );
    }
  });

  it('raises our own cap up to the lane, then looks for another lane', () => {
    const failure = { kind: 'useless-answer', flaw: 'truncated-by-our-cap', usage: null, reason } as const;
    expect(nextStep(failure, FRESH, CONTEXT).request).toEqual({ kind: 'retry-larger-cap', capTokens: 1_280 });
    expect(nextStep(failure, { ...FRESH, capTokens: 4_000 }, CONTEXT).request).toMatchObject({
      capTokens: 8_192,
    });
    expect(nextStep(failure, { ...FRESH, capTokens: 8_192 }, CONTEXT).request).toMatchObject({
      exclude: 'lane',
    });
  });

  it('spends a try on a sick lane only where it may have worked', () => {
    const failure = { kind: 'sick', retryAtMs: null, reason } as const;
    const worked = nextStep({ ...failure, mayHaveWorked: true }, FRESH, CONTEXT);
    expect(worked).toMatchObject({
      countsAsTry: true,
      effect: { kind: 'trip', scope: 'lane' },
    });
    expect(worked.request).toEqual({ kind: 'elsewhere', exclude: 'lane', backAtMs: NOW_MS + 500 });
    const idle = nextStep({ ...failure, mayHaveWorked: false }, { ...FRESH, triesBefore: 3 }, CONTEXT);
    expect(idle).toMatchObject({
      countsAsTry: false,
      request: { kind: 'elsewhere' },
    });
  });

  it('counts the answer of a call that failed only where there may be one', () => {
    const failure = { kind: 'sick', retryAtMs: null, reason } as const;
    const settlementOf = (how: Pick<Sick, 'mayHaveWorked' | 'isCutOff'>) =>
      nextStep({ ...failure, ...how }, FRESH, CONTEXT).settlement;
    expect(settlementOf({ mayHaveWorked: false })).toBe('prompt');
    expect(settlementOf({ mayHaveWorked: true })).toBe('prompt');
    expect(settlementOf({ mayHaveWorked: true, isCutOff: true })).toBe('estimate');
  });

  it('comes back to a sick lane no sooner than it said', () => {
    const failure = { kind: 'sick', mayHaveWorked: false, retryAtMs: NOW_MS + 20_000, reason } as const;
    expect(nextStep(failure, FRESH, CONTEXT).request).toMatchObject({ backAtMs: NOW_MS + 20_000 });
  });

  it('gives everything back where nothing reached the provider', () => {
    const step = nextStep({ kind: 'unreachable', reason }, FRESH, CONTEXT);
    expect(step).toMatchObject({
      settlement: 'release',
      countsAsTry: false,
      effect: { kind: 'trip', scope: 'provider' },
    });
  });

  it('settles a useless answer to what it cost, or to the estimate where that is not known', () => {
    const failure = {
      kind: 'useless-answer',
      flaw: 'refused',
      usage: { promptTokens: 1, completionTokens: 1 },
      reason,
    } as const;
    expect(nextStep(failure, FRESH, CONTEXT).settlement).toBe('usage');
    expect(nextStep({ ...failure, usage: null }, FRESH, CONTEXT).settlement).toBe('estimate');
  });

  it('has a step for every failure, and fails a request exactly when its tries are spent or the request is bad', () => {
    fc.assert(
      fc.property(
        failures(),
        histories(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failure, history, random01) => {
          const step = nextStep(failure, history, { nowMs: NOW_MS, random01 });
          const isSpent = step.countsAsTry && history.triesBefore + 1 >= DEFAULT_TRY_LIMIT;
          const { request, effect } = step;
          expect(request.kind === 'fail').toBe(isSpent || isRefusedTwice(failure, history));
          expect(request.kind !== 'retry-larger-cap' || request.capTokens > history.capTokens).toBe(true);
          expect(effect.kind !== 'wait' || effect.untilMs > NOW_MS).toBe(true);
        },
      ),
    );
  });
});

describe('backOffMs', () => {
  it('stays within its bounds and grows with the attempts', () => {
    fc.assert(
      fc.property(
        fc.nat(5_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random01) => {
          const waitMs = backOffMs(attempt, random01);
          expect(Number.isInteger(waitMs)).toBe(true);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThan(Math.min(LONGEST_BACK_OFF_MS, 1_000 * 2 ** attempt) || 1);
          expect(backOffMs(attempt + 1, random01)).toBeGreaterThanOrEqual(waitMs);
        },
      ),
    );
  });
});

/** A bad request that nothing can be left out of, for the second time. */
function isRefusedTwice(failure: Failure, history: RequestHistory): boolean {
  if (failure.kind !== 'bad-request' || history.badRequestsBefore === 0) return false;
  return failure.parameter !== 'seed' || history.droppedParameters.includes('seed');
}

function failures(): fc.Arbitrary<Failure> {
  const instant = fc.option(fc.integer({ min: NOW_MS, max: NOW_MS + 86_400_000 }));
  const scope = fc.constantFrom('lane' as const, 'provider' as const);
  const r = fc.constant(reason);
  const usage = fc.option(fc.constant({ promptTokens: 5, completionTokens: 5 }));
  return fc.oneof(
    fc.record({ kind: fc.constant('minute-limit' as const), scope, retryAtMs: instant, reason: r }),
    fc.record({
      kind: fc.constant('minute-limit' as const),
      scope,
      retryAtMs: instant,
      isConcurrency: fc.constant(true as const),
      reason: r,
    }),
    fc.record({
      kind: fc.constant('day-limit' as const),
      scope,
      period: fc.constantFrom(
        'hour' as const,
        'session' as const,
        'day' as const,
        'week' as const,
        'month' as const,
      ),
      resetAtMs: instant,
      reason: r,
    }),
    fc.record({
      kind: fc.constantFrom(
        'no-money' as const,
        'bad-key' as const,
        'forbidden' as const,
        'gone' as const,
        'unreachable' as const,
        'aborted' as const,
      ),
      reason: r,
    }),
    fc.record({ kind: fc.constant('too-large' as const), limitTokens: fc.option(fc.nat()), reason: r }),
    fc.record({
      kind: fc.constant('bad-request' as const),
      parameter: fc.option(fc.constantFrom('seed', 'messages')),
      reason: r,
    }),
    fc.record({
      kind: fc.constant('sick' as const),
      mayHaveWorked: fc.boolean(),
      retryAtMs: instant,
      reason: r,
    }),
    fc.record({
      kind: fc.constant('useless-answer' as const),
      flaw: fc.constantFrom(
        'empty' as const,
        'truncated-by-our-cap' as const,
        'truncated' as const,
        'refused' as const,
        'moderation-verdict' as const,
        'not-json' as const,
      ),
      usage,
      reason: r,
    }),
    fc.record({ kind: fc.constant('unknown' as const), status: fc.option(fc.nat()), reason: r }),
  );
}

function histories(): fc.Arbitrary<RequestHistory> {
  return fc.record({
    triesBefore: fc.nat(5),
    badRequestsBefore: fc.nat(2),
    sickBefore: fc.nat(50),
    droppedParameters: fc.constantFrom<readonly string[]>([], ['seed']),
    capTokens: fc.integer({ min: 1, max: 10_000 }),
    laneMaxOutputTokens: fc.constant(8_192),
    isTrial: fc.boolean(),
  });
}
