/** What a budget, or none, makes of the lanes that names stand for. */
import { describe, expect, test } from 'vitest';
import {
  disqualifiedLaneIds,
  type LaneRules,
  lanesUnder,
  requireServing,
  whyNothingServes,
} from '../../src/app/batch-policy.ts';
import type { Price } from '../../src/core/model.ts';
import { policyOf } from '../../src/core/policy.ts';
import { aLane, aProvider, routingFor } from './fakes.ts';

const PRICE: Price = {
  inputNanoDollarsPerMillion: 50_000_000,
  outputNanoDollarsPerMillion: 400_000_000,
  requestNanoDollars: 0,
};
const ROUTING = routingFor(
  [
    aProvider([aLane('dear/first', { price: PRICE }), aLane('dear/unpriced')], { tier: 'paid' }),
    aProvider([aLane('free/one'), aLane('free/two')]),
    aProvider([aLane('costly/last', { price: PRICE })], { tier: 'paid' }),
    aProvider([aLane('trial/one', { price: PRICE })], { tier: 'trial' }),
  ],
  [
    { name: 'mixed', laneIds: ['dear/first', 'free/one'] },
    { name: 'small', laneIds: ['free/two', 'trial/one'] },
    { name: 'paid', laneIds: ['dear/first'] },
    { name: 'unpriced', laneIds: ['dear/unpriced'] },
    { name: 'none', laneIds: [] },
  ],
);

const FREELY: LaneRules = { policy: null, maxCostNanoDollars: null };
const PAYING: LaneRules = { policy: null, maxCostNanoDollars: 2_500_000_000 };

const laneIds = (rules: LaneRules, name: string): readonly string[] =>
  lanesUnder(rules, ROUTING, [name]).map(({ id }) => id);

describe('without a budget', () => {
  test('no name stands for a paid lane, whoever put it there, and a trial is none', () => {
    expect([laneIds(FREELY, 'mixed'), laneIds(FREELY, 'small'), laneIds(FREELY, 'paid')]).toEqual([
      ['free/one'],
      ['free/two', 'trial/one'],
      [],
    ]);
    expect(disqualifiedLaneIds(FREELY, ROUTING)).toEqual(['dear/first', 'dear/unpriced', 'costly/last']);
  });

  test('a name that is paid alone is refused in one sentence that has the way out', () => {
    expect(() => requireServing(FREELY, ROUTING, 'paid')).toThrow(
      'Expected --max-cost, since every lane of "paid" is paid (dear/first), got none. Say what the batch may cost, such as --max-cost 2.50, or name a pool with lanes that are free.',
    );
    expect(() => requireServing(FREELY, ROUTING, 'mixed')).not.toThrow();
    expect(() => requireServing(FREELY, ROUTING, null)).not.toThrow();
  });

  test('so are the lanes that a policy leaves', () => {
    const rules = { ...FREELY, policy: policyOf({ only: ['dear/first'] }) };
    expect(whyNothingServes(rules, ROUTING, null)).toMatchObject({
      kind: 'money',
      message: expect.stringContaining('every lane that is left is paid (dear/first)'),
    });
    expect(whyNothingServes(rules, ROUTING, 'small')?.kind).toBe('policy');
  });
});

describe('with a budget', () => {
  test('every paid lane with a price joins every name, after what costs nothing', () => {
    expect([laneIds(PAYING, 'mixed'), laneIds(PAYING, 'small')]).toEqual([
      ['free/one', 'dear/first', 'costly/last'],
      ['free/two', 'trial/one', 'dear/first', 'costly/last'],
    ]);
  });

  test('but what the policy rules out, and no name that stands for nothing', () => {
    const rules = { ...PAYING, policy: policyOf({ except: ['dear'] }) };
    expect(laneIds(rules, 'small')).toEqual(['free/two', 'trial/one', 'costly/last']);
    expect(laneIds(PAYING, 'none')).toEqual([]);
  });

  test('a lane without a price serves nobody, which is said where nothing else is left', () => {
    const rules = { ...PAYING, policy: policyOf({ only: ['dear/unpriced'] }) };
    expect(disqualifiedLaneIds(PAYING, ROUTING)).toEqual(['dear/unpriced']);
    expect(() => requireServing(rules, ROUTING, 'unpriced')).toThrow(
      'Expected a price for every lane of "unpriced" (dear/unpriced), got none: without one nothing paid is called.',
    );
  });
});
