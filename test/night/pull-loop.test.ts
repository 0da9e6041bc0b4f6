import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backlogOf } from '../../scripts/night/pull-loop/backlog.ts';
import { meterFor } from '../../scripts/night/pull-loop/meter.ts';
import type { SimulatedWindow } from '../../src/simulator/tier.ts';
import { countFor } from '../../src/simulator/windows/count-for.ts';
import { alikeDocuments } from './a-night.ts';

const WINDOWS: readonly SimulatedWindow[] = [
  { kind: 'rolling', perMs: 60_000 },
  { kind: 'refill', perMs: 60_000 },
  { kind: 'fixed', perMs: 120_000, anchorAtMs: 7_000 },
  { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
  { kind: 'session', perMs: 90_000 },
];
const LIMIT = 100;

test.each(WINDOWS)(
  'a client that waits as its meter says is never refused by a $kind window, though calls arrive late',
  (window) => {
    const steps = fc.array(
      fc.record({
        amount: fc.integer({ min: 1, max: LIMIT }),
        delayMs: fc.integer({ min: 0, max: 900 }),
        idleMs: fc.integer({ min: 0, max: 50_000 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (calls) => {
        const [meter, count] = [meterFor(window, LIMIT), countFor(window, LIMIT)];
        let nowMs = 1_795_000_000_000;
        for (const { amount, delayMs, idleMs } of calls) {
          nowMs += idleMs;
          for (let waitMs = meter.waitMs(amount, nowMs); waitMs > 0; waitMs = meter.waitMs(amount, nowMs))
            nowMs += waitMs;
          meter.take(amount, nowMs);
          const arrivedAtMs = nowMs + delayMs;
          expect(count.waitMs(amount, arrivedAtMs)).toBe(0);
          count.take(amount, arrivedAtMs);
          nowMs = arrivedAtMs;
        }
      }),
      { numRuns: 200 },
    );
  },
);

test.each(WINDOWS)('what was taken too much of a $kind window can be taken again', (window) => {
  const meter = meterFor(window, LIMIT);
  const nowMs = 1_795_000_000_000;
  const take = meter.take(LIMIT, nowMs);
  expect(meter.waitMs(60, nowMs)).toBeGreaterThan(0);
  meter.correct(take, 40, nowMs + 10);
  expect(meter.waitMs(60, nowMs + 10)).toBe(0);
});

const any = (): boolean => true;

test('lanes pull in the order of the file, and a document that failed goes to another lane first', () => {
  const [first, second] = alikeDocuments(2, 100);
  const backlog = backlogOf([first, second].filter((document) => document !== undefined));
  backlog.pull('a', any, 0)?.failed(1_000);
  expect(backlog.pull('a', any, 500)?.document).toBe(second);
  expect(backlog.pull('a', any, 500)).toBeNull();
  const again = backlog.pull('b', any, 500);
  expect(again?.document).toBe(first);
  again?.failed(1_500);
  expect(backlog.pull('a', any, 1_000)?.document).toBe(first);
});

test('a backlog is done when everything has been answered, and not while something is under way', () => {
  const backlog = backlogOf(alikeDocuments(1, 100));
  const pulled = backlog.pull('a', any, 0);
  expect(backlog.isDone()).toBe(false);
  pulled?.putBack();
  expect(backlog.hasWorkFor(any)).toBe(true);
  backlog.pull('a', any, 0)?.done();
  expect(backlog.isDone()).toBe(true);
  expect(backlog.hasWorkFor(any)).toBe(false);
});
