/** Which lanes a policy leaves, by properties, and by the table of what is known of a provider. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lane, Provider, Tier } from '../../src/core/model.ts';
import { policyText, whyNoneQualifies } from '../../src/core/policy-text.ts';
import { disqualificationOf, type Policy, policyOf, qualifies } from '../../src/core/policy.ts';
import { aLane, aProvider } from '../app/fakes.ts';

const ANY: Policy = { forbidsTraining: false, regions: [], only: [], except: [] };

const LANE = aLane('alpha/small');
const provider = (differences: Partial<Provider> = {}): Provider => aProvider([LANE], differences);

const someRegions = fc.uniqueArray(fc.constantFrom('EU', 'CH', 'US', 'CN'), { maxLength: 3 });
const someNames = fc.uniqueArray(fc.constantFrom('alpha', 'alpha/small', 'beta', 'beta/large'), {
  maxLength: 3,
});
const somePolicy: fc.Arbitrary<Policy> = fc.record({
  forbidsTraining: fc.boolean(),
  regions: someRegions,
  only: someNames,
  except: someNames,
});
const someLane: fc.Arbitrary<{ readonly provider: Provider; readonly lane: Lane }> = fc
  .record({
    id: fc.constantFrom('alpha/small', 'alpha/large', 'beta/large'),
    tier: fc.constantFrom<Tier>('free', 'trial', 'paid', 'local'),
    trainsOnData: fc.constantFrom(true, false, null),
    regions: someRegions,
  })
  .map(({ id, ...facts }) => ({ lane: aLane(id), provider: aProvider([aLane(id)], facts) }));

describe('qualifies', () => {
  it.each<[string, Partial<Policy>, Partial<Provider>, boolean]>([
    ['no training, a provider that does not train', { forbidsTraining: true }, { trainsOnData: false }, true],
    ['no training, a provider that trains', { forbidsTraining: true }, { trainsOnData: true }, false],
    [
      'no training, a provider of which nothing is known',
      { forbidsTraining: true },
      { trainsOnData: null },
      false,
    ],
    [
      'no training, a local one that does not say',
      { forbidsTraining: true },
      { trainsOnData: null, tier: 'local' },
      true,
    ],
    [
      'no training, a local one that says it trains',
      { forbidsTraining: true },
      { trainsOnData: true, tier: 'local' },
      false,
    ],
    [
      'no training, a paid one that does not say',
      { forbidsTraining: true },
      { trainsOnData: null, tier: 'paid' },
      false,
    ],
    ['a region, a provider there', { regions: ['EU'] }, { regions: ['EU'] }, true],
    ['two regions, a provider in one of them', { regions: ['CH', 'EU'] }, { regions: ['EU'] }, true],
    ['a region, a provider there and elsewhere', { regions: ['EU'] }, { regions: ['EU', 'US'] }, false],
    ['a region, a provider elsewhere', { regions: ['EU'] }, { regions: ['US'] }, false],
    ['a region, a provider that does not say', { regions: ['EU'] }, {}, false],
    ['a region, a provider with an empty list', { regions: ['EU'] }, { regions: [] }, false],
    ['a region, a local one', { regions: ['EU'] }, { tier: 'local' }, true],
    ['only the provider', { only: ['alpha'] }, {}, true],
    ['only the lane', { only: ['alpha/small', 'beta'] }, {}, true],
    ['only another lane of the provider', { only: ['alpha/large'] }, {}, false],
    ['only others', { only: ['beta'] }, { tier: 'local' }, false],
    ['all but the provider', { except: ['alpha'] }, { tier: 'local' }, false],
    ['all but the lane', { except: ['alpha/small'] }, {}, false],
    ['all but another lane', { except: ['alpha/large'] }, {}, true],
    ['only the provider, but not the lane', { only: ['alpha'], except: ['alpha/small'] }, {}, false],
    ['a name that only begins alike', { only: ['alph'] }, {}, false],
  ])('%s: %j on %j is %s', (_, policy, facts, isLeft) => {
    expect(qualifies({ ...ANY, ...policy }, provider(facts), LANE)).toBe(isLeft);
  });

  it('lets every lane pass where there is no policy, or one that says nothing', () => {
    fc.assert(
      fc.property(someLane, ({ provider: known, lane }) => {
        expect([qualifies(null, known, lane), qualifies(ANY, known, lane)]).toEqual([true, true]);
      }),
    );
  });

  it('only ever leaves fewer lanes for a policy that says more, and each demand holds by itself', () => {
    fc.assert(
      fc.property(somePolicy, someLane, (policy, { provider: known, lane }) => {
        const demands: readonly Policy[] = [
          { ...ANY, forbidsTraining: policy.forbidsTraining },
          { ...ANY, regions: policy.regions },
          { ...ANY, only: policy.only },
          { ...ANY, except: policy.except },
        ];
        expect(qualifies(policy, known, lane)).toBe(
          demands.every((demand) => qualifies(demand, known, lane)),
        );
      }),
    );
  });
});

describe('policyOf', () => {
  it('has one form for every order and every repetition, and changes nothing in it', () => {
    fc.assert(
      fc.property(somePolicy, someLane, (policy, { provider: known, lane }) => {
        const shuffled = {
          ...policy,
          regions: policy.regions.toReversed().map((region) => region.toLowerCase()),
          only: [...policy.only.toReversed(), ...policy.only],
          except: policy.except.toReversed(),
        };
        const made = policyOf(policy);
        expect(JSON.stringify(policyOf(shuffled))).toBe(JSON.stringify(made));
        expect(policyOf(made ?? {})).toEqual(made);
        expect(qualifies(made, known, lane)).toBe(qualifies(policy, known, lane));
      }),
    );
  });

  it('is nothing where nothing was asked for', () => {
    expect([policyOf({}), policyOf(ANY)]).toEqual([null, null]);
  });
});

describe('policyText', () => {
  it('is what would be typed', () => {
    const policy = { forbidsTraining: true, regions: ['CH', 'EU'], only: ['groq'], except: ['groq/a', 'x'] };
    expect(policyText(policy)).toBe('--no-training --region CH,EU --only groq --except groq/a,x');
  });
});

describe('whyNoneQualifies', () => {
  it('says something exactly of the lanes that do not qualify', () => {
    fc.assert(
      fc.property(somePolicy, someLane, (policy, candidate) => {
        const { provider: known, lane } = candidate;
        const isSaid = whyNoneQualifies(policy, [candidate]).includes(known.id);
        expect(isSaid).toBe(disqualificationOf(policy, known, lane) !== null);
      }),
    );
  });

  it('names every provider with its reason, once', () => {
    const beta = aProvider([aLane('beta/a'), aLane('beta/b')], { trainsOnData: true });
    const gamma = aProvider([aLane('gamma/a')], { trainsOnData: false, regions: ['US', 'CN'] });
    const policy = { ...ANY, forbidsTraining: true, regions: ['EU'] };
    const candidates = [beta, gamma, provider()].flatMap((known) =>
      known.lanes.map((lane) => ({ provider: known, lane })),
    );
    expect(whyNoneQualifies(policy, candidates)).toBe(
      'beta may train on prompts; gamma processes prompts in US, CN; whether alpha trains on prompts is unknown',
    );
  });
});
