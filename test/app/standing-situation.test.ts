import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standingSituation, untouchedSituation } from '../../src/app/standing-situation.ts';
import type { Limit } from '../../src/core/model.ts';
import type { PlanLimit, Situation } from '../../src/core/plan/situation.ts';
import { unusedSupply } from '../../src/core/plan/unused.ts';
import { aPlanLane, aPlanLimit, aSituation, DAY_MS, MINUTE_MS } from '../core/plan/a-night.ts';
import { anyWindow } from '../core/plan/any-situation.ts';
import { aLane, aProvider, routingFor } from './fakes.ts';

const A_MINUTE = { kind: 'rolling', perMs: MINUTE_MS } as const;
const A_DAY = { kind: 'rolling', perMs: DAY_MS } as const;

const alpha = aProvider(
  [aLane('alpha/small', { limits: [{ metric: 'requests', amount: 30, window: A_MINUTE }] })],
  { concurrency: 4 },
);
/** Added to the configuration while others are at work with alpha alone. */
const beta = aProvider(
  [aLane('beta/new', { limits: [{ metric: 'tokens', amount: 6_000, window: A_MINUTE }] })],
  { concurrency: 2, limits: [{ metric: 'requests', amount: 50, window: A_DAY }] },
);

/** How things stand by a record that has this. */
const standing = (recorded: Partial<Situation>, providers = [alpha, beta]): Promise<Situation> =>
  standingSituation({ read: async () => aSituation(recorded) }, routingFor(providers));

describe('standingSituation', () => {
  it('takes a provider that the record has not heard of for what is declared of it', async () => {
    const { lanes, providers, limits } = await standing({
      lanes: [aPlanLane('alpha/small'), aPlanLane('beta/new', { slots: 0 })],
      providers: [
        { id: 'alpha', concurrency: 4 },
        { id: 'beta', concurrency: null },
      ],
      limits: [aPlanLimit('alpha/small', 30, A_MINUTE)],
    });
    expect(limits).toEqual([
      aPlanLimit('alpha/small', 30, A_MINUTE),
      ...unusedSupply([beta]).limits.map((limit) => expect.objectContaining(limit)),
    ]);
    expect(providers).toContainEqual({ id: 'beta', concurrency: 2 });
    expect(lanes.map(({ slots }) => slots)).toEqual([4, 2]);
  });

  it('keeps calls at once as the record has them', async () => {
    const { providers } = await standing({ providers: [{ id: 'alpha', concurrency: 1 }] });
    expect(providers).toEqual([{ id: 'alpha', concurrency: 1 }]);
  });

  it('has every limit that is declared once, and those of the record with what is used of them', async () => {
    await fc.assert(
      fc.asyncProperty(anyDeclared, fc.array(fc.boolean()), async (declared, areKnown) => {
        const provider = aProvider([aLane('alpha/small')], { limits: declared });
        const known = unusedSupply([provider])
          .limits.filter((_, place) => areKnown[place] === true)
          .map((limit) => ({ ...limit, amount: limit.amount - 1, used: 1 }));
        const { limits } = await standing({ limits: known }, [provider]);
        expect(limits.slice(0, known.length)).toEqual(known);
        expect(limits.map(nameOf).toSorted()).toEqual(declared.map(nameOf).toSorted());
      }),
    );
  });
});

describe('untouchedSituation', () => {
  it('knows what paid lanes cost, and none that has no price', () => {
    const price = { inputNanoDollarsPerMillion: 1, outputNanoDollarsPerMillion: 2, requestNanoDollars: 3 };
    const dear = aProvider([aLane('dear/priced', { price }), aLane('dear/unknown')], { tier: 'paid' });
    const trial = aProvider([aLane('trial/large', { price })], { tier: 'trial' });
    const { lanes } = untouchedSituation(routingFor([alpha, dear, trial]), 0);
    expect(lanes.map((lane) => [lane.id, lane.price])).toEqual([
      ['alpha/small', undefined],
      ['dear/priced', price],
      ['trial/large', undefined],
    ]);
  });
});

const nameOf = ({ metric, window }: Limit | PlanLimit): string => `${metric} ${JSON.stringify(window)}`;

const anyDeclared: fc.Arbitrary<readonly Limit[]> = fc.uniqueArray(
  fc.record({
    metric: fc.constantFrom('requests', 'tokens', 'units'),
    amount: fc.integer({ min: 2, max: 1_000 }),
    window: anyWindow,
  }),
  { maxLength: 5, selector: nameOf },
);
