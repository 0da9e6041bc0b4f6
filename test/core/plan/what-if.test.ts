import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandOf } from '../../../src/core/plan/bands.ts';
import { makePlan } from '../../../src/core/plan/plan.ts';
import { sizeClasses } from '../../../src/core/plan/size-classes.ts';
import { unusedSupply } from '../../../src/core/plan/unused.ts';
import { withAnswerShare, withMoreSupply } from '../../../src/core/plan/what-if.ts';
import { aLane, aProvider } from '../../app/fakes.ts';
import { aCell, aPlanLimit, aSituation, MINUTE_MS, solver } from './a-night.ts';

const perMinute = (amount: number) => ({ kind: 'refill', perMs: MINUTE_MS, amount }) as const;

const beta = (requestsPerMinute: number) =>
  unusedSupply([
    aProvider([
      aLane('beta/small', {
        limits: [
          { metric: 'requests', amount: requestsPerMinute, window: { kind: 'refill', perMs: MINUTE_MS } },
        ],
      }),
    ]),
  ]);

const night = aSituation({
  cells: [aCell(1_000, 500)],
  limits: [aPlanLimit('alpha/small', 10, perMinute(10))],
});

const answersIn = (situation: typeof night): number => sizeClasses(situation)[0]?.answerTokens ?? 0;

const finishOf = (situation: typeof night): number => makePlan(situation, solver).finishAtMs ?? Infinity;

describe('more supply', () => {
  it('is used by the routes that go there', () => {
    const more = withMoreSupply(night, beta(10), ({ laneIds }) => [...laneIds, 'beta/small']);
    const half = (finishOf(night) - night.nowMs) / 2;
    expect(finishOf(more) - night.nowMs).toBeCloseTo(half, -4);
  });

  it('changes nothing for routes that do not go there', () => {
    const more = withMoreSupply(night, beta(10), ({ laneIds }) => laneIds);
    expect(finishOf(more)).toBeCloseTo(finishOf(night), -1);
  });

  it('never puts the end off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (amount) => {
        const more = withMoreSupply(night, beta(amount), ({ laneIds }) => [...laneIds, 'beta/small']);
        expect(finishOf(more)).toBeLessThanOrEqual(finishOf(night) + 1);
      }),
      { numRuns: 20 },
    );
  });

  it('leaves alone what is there already, with all that was used of it', () => {
    const again = unusedSupply([aProvider([aLane('alpha/small')])]);
    const { lanes, limits, providers } = withMoreSupply(night, again, ({ laneIds }) => laneIds);
    expect({ lanes, limits, providers }).toEqual({
      lanes: night.lanes,
      limits: night.limits,
      providers: night.providers,
    });
  });
});

describe('answers of another length', () => {
  it('count where none have shown it, as a share of their bounds', () => {
    expect(answersIn(withAnswerShare(night, 0.25))).toBeCloseTo(50, 2);
    expect(answersIn(withAnswerShare(night, 0.75))).toBeCloseTo(150, 2);
  });

  it('do not count in a batch that has shown it', () => {
    const known = { ...night, answers: [{ batchId: 1, band: bandOf(500), answers: 1_000, tokens: 100_000 }] };
    expect(answersIn(withAnswerShare(known, 0.75))).toBe(answersIn(known));
  });
});

describe('what is unused', () => {
  it('has units in thousandths, as the record counts them', () => {
    const { limits } = unusedSupply([
      aProvider([aLane('alpha/small', { unitCost: { input: 1, output: 2 } })], {
        limits: [
          {
            metric: 'units',
            amount: 10_000,
            window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
          },
        ],
      }),
    ]);
    expect(limits.map(({ scope, amount, used }) => ({ scope, amount, used }))).toEqual([
      { scope: 'alpha', amount: 10_000_000, used: 0 },
    ]);
  });

  it('has as many calls at once as lane and provider allow', () => {
    const { lanes } = unusedSupply([
      aProvider([aLane('alpha/small', { concurrency: 8 })], { concurrency: 2 }),
    ]);
    expect(lanes[0]?.slots).toBe(2);
  });
});
