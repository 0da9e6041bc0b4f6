import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Charge } from '../../src/simulator/windows/count.ts';
import { countFor } from '../../src/simulator/windows/count-for.ts';
import type { SimulatedWindow } from '../../src/simulator/tier.ts';
import type { Use } from './window-definitions.ts';
import { usedByDefinition } from './window-definitions.ts';

const START_AT_MS = Date.UTC(2026, 9, 25, 0, 30);
const HOUR_MS = 3_600_000;
const LIMIT = 10;

const shortWindow = fc.oneof(
  fc.record({ kind: fc.constant('rolling' as const), perMs: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('refill' as const), perMs: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('session' as const), perMs: fc.integer({ min: 1, max: 60 }) }),
  fc.record({
    kind: fc.constant('fixed' as const),
    perMs: fc.integer({ min: 1, max: 60 }),
    anchorAtMs: fc.integer({ min: START_AT_MS - 100, max: START_AT_MS + 100 }),
  }),
);

const longWindow = fc.oneof(
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('day' as const, 'week' as const, 'month' as const),
    timeZone: fc.constantFrom(
      'UTC',
      'America/Los_Angeles',
      'Europe/Berlin',
      'Asia/Kathmandu',
      'Pacific/Apia',
    ),
  }),
  fc.record({
    kind: fc.constant('fixed-month' as const),
    anchorAtMs: fc.constantFrom(
      Date.UTC(2026, 0, 31, 13, 5),
      Date.UTC(2024, 1, 29),
      Date.UTC(2027, 11, 1, 23),
    ),
    timeZone: fc.constant('UTC'),
  }),
);

interface Step {
  readonly waitMs: number;
  readonly amount: number;
  /** How many steps later it settles, and to what share of the charge. */
  readonly settlesAfter: number;
  readonly settlesToPercent: number;
}

const stepsOf = (waitMs: fc.Arbitrary<number>) =>
  fc.array(
    fc.record({
      waitMs,
      amount: fc.integer({ min: 1, max: LIMIT + 1 }),
      settlesAfter: fc.integer({ min: 0, max: 4 }),
      settlesToPercent: fc.integer({ min: 0, max: 100 }),
    }),
    { maxLength: 60 },
  );

interface Pending {
  readonly charge: Charge;
  readonly use: Use;
  readonly dueAtStep: number;
  readonly actual: number;
}

/** What a count said and what the definition says, step by step, as `used fits`. */
interface Drive {
  readonly said: readonly string[];
  readonly defined: readonly string[];
  readonly uses: readonly Use[];
}

/** Drives a count through the steps, taking whatever fits by definition. */
function drive(window: SimulatedWindow, steps: readonly Step[]): Drive {
  const count = countFor(window, LIMIT);
  const uses: Use[] = [];
  const said: string[] = [];
  const defined: string[] = [];
  let pending: Pending[] = [];
  let nowMs = START_AT_MS;
  let order = 0;
  for (const [index, step] of steps.entries()) {
    nowMs += step.waitMs;
    for (const { charge, use, actual } of pending.filter((due) => due.dueAtStep <= index)) {
      count.settle(charge, actual, nowMs);
      order += 1;
      use.settled = { atMs: nowMs, order, amount: actual };
    }
    pending = pending.filter((due) => due.dueAtStep > index);
    const used = usedByDefinition(window, LIMIT, { uses, nowMs });
    const fits = used + step.amount <= LIMIT;
    defined.push(`${used} ${fits}`);
    said.push(`${count.usedAt(nowMs)} ${count.waitMs(step.amount, nowMs) === 0}`);
    if (!fits) continue;
    order += 1;
    const use: Use = { atMs: nowMs, order, chargedAmount: step.amount, settled: null };
    uses.push(use);
    const actual = Math.floor((step.amount * step.settlesToPercent) / 100);
    pending.push({
      charge: count.take(step.amount, nowMs),
      use,
      dueAtStep: index + step.settlesAfter,
      actual,
    });
  }
  return { said, defined, uses };
}

describe('the count of a window', () => {
  it('agrees with the definition of short windows at every instant, settled late or at once', () => {
    const steps = stepsOf(fc.integer({ min: 0, max: 25 }));
    fc.assert(
      fc.property(shortWindow, steps, (window, taken) => {
        const { said, defined } = drive(window, taken);
        expect(said).toEqual(defined);
      }),
      { numRuns: 400 },
    );
  });

  it('forgets nothing when its amount is changed, and lets in what the new amount has room for', () => {
    const changes = fc.array(
      fc.record({
        waitMs: fc.integer({ min: 0, max: 25 }),
        amount: fc.integer({ min: 1, max: LIMIT }),
        limitAmount: fc.integer({ min: 1, max: LIMIT * 2 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(shortWindow, changes, (window, steps) => {
        const count = countFor(window, LIMIT);
        let nowMs = START_AT_MS;
        for (const { waitMs, amount, limitAmount } of steps) {
          nowMs += waitMs;
          const used = count.usedAt(nowMs);
          count.resize(limitAmount, nowMs);
          expect(count.usedAt(nowMs)).toBe(used);
          expect(count.waitMs(amount, nowMs) === 0).toBe(used + amount <= limitAmount);
          if (used + amount <= limitAmount) count.take(amount, nowMs);
        }
      }),
    );
  });

  it('agrees with the calendar of the zone and with anchored months over years, daylight saving included', () => {
    const steps = stepsOf(fc.integer({ min: 0, max: 20 * 24 * HOUR_MS }));
    fc.assert(
      fc.property(longWindow, steps, (window, taken) => {
        const { said, defined } = drive(window, taken);
        expect(said).toEqual(defined);
      }),
      { numRuns: 40 },
    );
  });

  it('never lets more than the amount into any interval of a rolling window', () => {
    const perMs = 30;
    fc.assert(
      fc.property(stepsOf(fc.integer({ min: 0, max: 20 })), (steps) => {
        const unsettled = steps.map((step) => ({ ...step, settlesToPercent: 100 }));
        const { uses } = drive({ kind: 'rolling', perMs }, unsettled);
        for (const { atMs: fromMs } of uses) {
          const inside = uses.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + perMs);
          expect(inside.reduce((sum, { chargedAmount }) => sum + chargedAmount, 0)).toBeLessThanOrEqual(
            LIMIT,
          );
        }
      }),
    );
  });

  it('states a wait after which the amount fits and a millisecond before which it does not', () => {
    const amounts = fc.integer({ min: 1, max: LIMIT });
    fc.assert(
      fc.property(shortWindow, stepsOf(fc.integer({ min: 0, max: 9 })), amounts, (window, steps, amount) => {
        const count = countFor(window, LIMIT);
        let nowMs = START_AT_MS;
        for (const step of steps) {
          nowMs += step.waitMs;
          if (count.waitMs(step.amount, nowMs) === 0) count.take(step.amount, nowMs);
        }
        const waitMs = Math.ceil(count.waitMs(amount, nowMs));
        expect(waitMs === 0 || count.waitMs(amount, nowMs + waitMs - 1) > 0).toBe(true);
        expect(count.waitMs(amount, nowMs + waitMs)).toBe(0);
      }),
    );
  });

  it('says that what is larger than the limit never fits', () => {
    fc.assert(
      fc.property(fc.oneof(shortWindow, longWindow), (window) => {
        expect(countFor(window, LIMIT).waitMs(LIMIT + 1, START_AT_MS)).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 50 },
    );
  });

  it('opens a session with the first call at or after the end of the one before, however late', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 60 });
    fc.assert(
      fc.property(waits, (waitsMs) => {
        const perMs = 30;
        const count = countFor({ kind: 'session', perMs }, LIMIT);
        let nowMs = START_AT_MS;
        let opened = { atMs: Number.NEGATIVE_INFINITY, calls: 0 };
        for (const waitMs of waitsMs) {
          nowMs += waitMs;
          if (nowMs >= opened.atMs + perMs) opened = { atMs: nowMs, calls: 0 };
          expect(count.waitMs(1, nowMs)).toBe(opened.calls < LIMIT ? 0 : opened.atMs + perMs - nowMs);
          if (opened.calls === LIMIT) continue;
          count.take(1, nowMs);
          opened.calls += 1;
          expect(count.untilUnusedMs(nowMs)).toBe(opened.atMs + perMs - nowMs);
        }
      }),
    );
  });

  it('gives back nothing to a session that has ended while a call of it was under way', () => {
    const count = countFor({ kind: 'session', perMs: 1_000 }, 10);
    const late = count.take(8, START_AT_MS);
    count.take(6, START_AT_MS + 1_000);
    count.settle(late, 0, START_AT_MS + 1_001);
    expect(count.usedAt(START_AT_MS + 1_001)).toBe(6);
  });

  it('refills a bucket that became smaller than what it misses before it lets anything in', () => {
    const count = countFor({ kind: 'refill', perMs: 1_000 }, 10);
    count.take(10, START_AT_MS);
    count.resize(4, START_AT_MS);
    expect(count.waitMs(1, START_AT_MS)).toBe(1_750);
    expect(count.waitMs(1, START_AT_MS + 1_750)).toBe(0);
    expect(count.waitMs(5, START_AT_MS)).toBe(Number.POSITIVE_INFINITY);
  });

  it('lets two calls exactly one rolling window apart both pass', () => {
    const count = countFor({ kind: 'rolling', perMs: 1_000 }, 1);
    count.take(1, START_AT_MS);
    expect(count.waitMs(1, START_AT_MS + 999)).toBe(1);
    expect(count.waitMs(1, START_AT_MS + 1_000)).toBe(0);
  });
});
