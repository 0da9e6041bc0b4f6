import { describe, expect, it } from 'vitest';
import { openPlanBook } from '../../src/app/plan-book.ts';
import type { Plan, Share } from '../../src/core/plan/plan.ts';
import type { SizeClass } from '../../src/core/plan/size-classes.ts';
import { aCell } from '../core/plan/a-situation.ts';

const aClass = (band: number): SizeClass => ({
  key: `band ${band}`,
  count: 10,
  promptTokens: aCell(band, 1).promptTokens,
  capTokens: 300,
  answerTokens: 150,
  largest: [aCell(band, 10)],
  outputIsAsked: false,
  laneIds: ['alpha/small'],
  priority: 0,
  cells: [aCell(band, 10)],
});
const SMALL = aClass(20);
const LARGE = aClass(30);

const share = (sizeClass: SizeClass, now: number): Share => ({
  sizeClass,
  now,
  later: 0,
  worthMs: 100,
  lossMs: 50,
  goesFirst: false,
});

const planOf = (shares: readonly Share[], laneId = 'alpha/small'): Plan => ({
  madeAtMs: 0,
  finishAtMs: 1_000,
  lanes: [{ laneId, shares, binding: null, most: Infinity }],
  routeIds: [1],
  payments: [],
  cutsAtMs: [],
  unplannable: [],
  undone: [],
});

/** A book whose clock stands at `time.nowMs`. */
const setUp = () => {
  const time = { nowMs: 5_000 };
  const book = openPlanBook(() => time.nowMs);
  /** The classes in the order in which they are first asked for. */
  const wanted = (laneId = 'alpha/small') => {
    const ranges = book.wishesFor(laneId)?.ranges;
    const first = ranges?.filter(
      ({ sizeClass }, place) => ranges.findIndex((range) => range.sizeClass === sizeClass) === place,
    );
    return first?.map(({ sizeClass, isPlanned }) => [sizeClass === SMALL ? 'small' : 'large', isPlanned]);
  };
  return { time, book, wanted };
};

describe('a plan book', () => {
  it('knows of no wishes before there is a plan, and of none for a lane that the plan does not know', () => {
    const { book } = setUp();
    expect(book.wishesFor('alpha/small')).toBeNull();
    book.adopt(planOf([share(SMALL, 3)]), 60_000);
    expect(book.wishesFor('beta/small')).toBeNull();
    expect(book.wishesFor('alpha/small')?.plannedRouteIds).toEqual([1]);
  });

  it('has an empty list for a lane that is better left alone', () => {
    const { book } = setUp();
    book.adopt(planOf([]), 60_000);
    expect(book.wishesFor('alpha/small')?.ranges).toEqual([]);
  });

  it('asks for classes in turn, by what was taken of them', () => {
    const { book, wanted } = setUp();
    book.adopt(planOf([share(SMALL, 4), share(LARGE, 2)]), 60_000);
    expect(wanted()).toEqual([
      ['small', true],
      ['large', true],
    ]);
    book.took('alpha/small', SMALL);
    book.took('alpha/small', SMALL);
    expect(wanted()).toEqual([
      ['large', true],
      ['small', true],
    ]);
    book.took('alpha/small', SMALL);
    book.took('alpha/small', SMALL);
    expect(wanted()).toEqual([
      ['large', true],
      ['small', false],
    ]);
  });

  it('counts nothing against a new plan that was taken under the old one, nor for other lanes', () => {
    const { book, wanted } = setUp();
    const plan = planOf([share(SMALL, 1)]);
    book.adopt(plan, 60_000);
    book.took('beta/small', SMALL);
    expect(wanted()).toEqual([['small', true]]);
    book.took('alpha/small', SMALL);
    expect(wanted()).toEqual([['small', false]]);
    book.adopt(planOf([share(SMALL, 1)]), 60_000);
    book.took('alpha/small', LARGE);
    expect(wanted()).toEqual([['small', true]]);
  });

  it('forgets a plan whose time is over, until there is another', () => {
    const { time, book, wanted } = setUp();
    book.adopt(planOf([share(SMALL, 1)]), 60_000);
    time.nowMs += 60_000;
    expect(wanted()).toHaveLength(1);
    time.nowMs += 1;
    expect(wanted()).toBeUndefined();
    book.adopt(planOf([share(SMALL, 1)]), 1_000);
    expect(wanted()).toHaveLength(1);
  });

  it('gives a plan up by which no lane finds anything to do, tells so, and takes the next one', () => {
    const { book } = setUp();
    const told: string[] = [];
    book.listen(() => void told.push('told'));
    const two = { ...planOf([share(SMALL, 3)]), lanes: ['alpha/small', 'beta/small'] };
    const plan = {
      ...two,
      lanes: two.lanes.map((laneId) => ({ laneId, shares: [], binding: null, most: Infinity })),
    };
    book.adopt(plan, 60_000);
    book.answered('alpha/small', true);
    book.answered('gamma/unknown', true);
    expect(book.wishesFor('alpha/small')).not.toBeNull();
    book.answered('beta/small', true);
    expect(book.wishesFor('alpha/small')).toBeNull();
    expect(told).toHaveLength(2);
    book.adopt(plan, 60_000);
    expect(book.wishesFor('alpha/small')).not.toBeNull();
    book.answered('alpha/small', true);
    book.answered('alpha/small', false);
    book.answered('beta/small', true);
    expect(book.wishesFor('alpha/small')).not.toBeNull();
  });

  it('keeps a plan by which lanes are to wait, though they find nothing to do', () => {
    const { book } = setUp();
    const plan = planOf([share(SMALL, 3)]);
    book.adopt({ ...plan, lanes: plan.lanes.map((lane) => ({ ...lane, most: 0 })) }, 60_000);
    book.answered('alpha/small', true);
    expect(book.wishesFor('alpha/small')).toMatchObject({ ranges: [] });
  });
});
