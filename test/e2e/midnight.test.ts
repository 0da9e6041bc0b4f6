/**
 * Nights across midnights, of Los Angeles, Berlin and UTC, and across the days of 23 and 25 hours, on a test clock:
 * each day's limit is used once, and none twice, by the provider's own calendar.
 *
 * About the clock. The margin of a day's limit is 2 s of the record's time, within which a call must reach its
 * provider. At a rate at which two days pass in a minute that would be less than a millisecond of real time, which no
 * call keeps. So time runs at a small rate, and the dull hours, in which every limit is used up and nothing is under
 * way, are stepped over. Every step ends a while before a midnight, long enough for all processes to notice: whoever
 * took a day for over too early, by an hour at the change of daylight saving, would call then, and be refused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SimulatedTier, SimulatedWindow } from '../../src/simulator/tier.ts';
import { describeHome, type HomeName, HOMES } from '../homes/homes.ts';
import { dateIn } from '../simulator/window-definitions.ts';
import { requireExit } from './command.ts';
import { startCrowd, stopCrowd } from './crowd.ts';
import { isRefused, provider, refusals, requestsPer, until } from './providers.ts';
import { setStage, type Stage } from './stage.ts';
import { moveNight, NOTICED_WITHIN_MS, type TestClock, testClock } from './test-clock.ts';

const IS_LONG = process.env['NIGHTSHIFT_LONG'] === '1';
/** A margin of 2 s is 0.5 s of real time, and a call takes some 20 ms. */
const RATE = 4;
const PATIENCE_MS = 60_000;
const PROCESSES = 2;
const HOUR_MS = 3_600_000;
/** Before a midnight: calls that the record may count on both sides of it, by its margin and the way of a call. */
const DOUBT_MS = 5_000;

/** A night by the instants at which some limit begins anew, in their order; each is reached on the running clock. */
interface Night {
  readonly name: string;
  readonly timeZone: string;
  readonly from: string;
  readonly midnights: readonly string[];
  readonly inQuick: boolean;
}

const NIGHTS: readonly Night[] = [
  {
    name: 'the day of 25 hours in Los Angeles',
    timeZone: 'America/Los_Angeles',
    from: '2026-10-31T22:00Z',
    // UTC's day and month; the Pacific day; the Pacific day and week, 25 hours later.
    midnights: ['2026-11-01T00:00Z', '2026-11-01T07:00Z', '2026-11-02T08:00Z'],
    inQuick: true,
  },
  {
    name: 'the day of 23 hours in Los Angeles',
    timeZone: 'America/Los_Angeles',
    from: '2026-03-07T22:00Z',
    midnights: ['2026-03-08T00:00Z', '2026-03-08T08:00Z', '2026-03-09T07:00Z'],
    inQuick: false,
  },
  {
    name: 'the day of 25 hours in Berlin',
    timeZone: 'Europe/Berlin',
    from: '2026-10-24T20:00Z',
    midnights: ['2026-10-24T22:00Z', '2026-10-25T00:00Z', '2026-10-25T23:00Z'],
    inQuick: false,
  },
];

type Calendar = Extract<SimulatedWindow, { readonly kind: 'calendar' }>;

/** A provider of the night, and its only limit. */
interface Kept {
  readonly id: string;
  readonly amount: number;
  readonly window: Calendar;
}

const keptIn = (timeZone: string): readonly Kept[] => [
  { id: 'local-day', amount: 30, window: { kind: 'calendar', unit: 'day', timeZone } },
  { id: 'local-week', amount: 25, window: { kind: 'calendar', unit: 'week', timeZone } },
  { id: 'utc-day', amount: 20, window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' } },
  { id: 'utc-month', amount: 15, window: { kind: 'calendar', unit: 'month', timeZone: 'UTC' } },
];

/** Calls that the provider answered, by the name of the day, week or month in which they reached it. */
const answeredPer = ({ simulator }: Stage, { id, window }: Kept): ReadonlyMap<string, number> => {
  const answered = simulator.calls().filter((call) => call.provider === id && !isRefused(call));
  const groups = Map.groupBy(answered, ({ arrivedAtMs }) => dateIn(window, arrivedAtMs));
  return new Map([...groups].map(([name, calls]) => [name, calls.length]));
};

/** Steps to where all processes still notice before the midnight, and resolves when that has passed. */
const passMidnight = async (stage: Stage, clock: TestClock, midnightAtMs: number): Promise<void> => {
  await moveNight(stage, clock, { originMs: midnightAtMs - NOTICED_WITHIN_MS * RATE, rate: RATE });
  while (clock.nowMs() < midnightAtMs) await delay(Math.ceil((midnightAtMs - clock.nowMs()) / RATE));
};

/** A night on the test clock, from that instant on. The record is there before its clock is moved. */
const setNight = async (
  home: HomeName,
  clock: TestClock,
  tiers: readonly SimulatedTier[],
): Promise<Stage> => {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await setStage({ home, clock, tiers }));
  requireExit(await stage.run(['providers']), 0);
  await moveNight(stage, clock, { originMs: clock.startedAtMs, rate: clock.rate });
  stack.move();
  return stage;
};

/** Lets each midnight pass, and after each waits until every limit is used up in what has begun by then. */
const passAll = async (
  stage: Stage,
  clock: TestClock,
  kept: readonly Kept[],
  midnights: readonly string[],
) => {
  const isUsed = (each: Kept) =>
    answeredPer(stage, each).get(dateIn(each.window, clock.nowMs())) === each.amount;
  await until('the first day to be used', () => kept.every(isUsed), PATIENCE_MS);
  for (const midnight of midnights) {
    await passMidnight(stage, clock, Date.parse(midnight));
    await until(`what begins at ${midnight} to be used`, () => kept.every(isUsed), PATIENCE_MS);
  }
};

/** Each period that one of these instants is in, used once. */
const eachOnce = ({ window, amount }: Kept, instants: readonly string[]): ReadonlyMap<string, number> =>
  new Map(instants.map((instant) => [dateIn(window, Date.parse(instant)), amount]));

/** Quota is counted in PostgreSQL on every home, so a quick run takes one. */
const homes: readonly HomeName[] = IS_LONG ? HOMES : ['embedded'];

for (const home of homes) {
  describeHome(home, () => {
    test.each(NIGHTS.filter(({ inQuick }) => IS_LONG || inQuick))(
      'A night with $name uses each day, week and month once, and none twice',
      { timeout: 300_000 },
      async ({ timeZone, from, midnights }) => {
        const kept = keptIn(timeZone);
        const clock = testClock(Date.parse(from), RATE);
        await using stage = await setNight(
          home,
          clock,
          kept.map(({ id, amount, window: { unit, timeZone: zone } }) =>
            provider(id, { limits: [requestsPer(unit, amount, zone)] }),
          ),
        );
        const runs = await startCrowd(stage, { processes: PROCESSES, linesEach: 300 });
        await passAll(stage, clock, kept, midnights);
        await stopCrowd(runs);

        for (const each of kept) console.log(`${each.id}: ${JSON.stringify([...answeredPer(stage, each)])}`);
        expect(refusals(stage.simulator)).toBe(0);
        for (const each of kept)
          expect(answeredPer(stage, each)).toEqual(eachOnce(each, [from, ...midnights]));
      },
    );

    test.runIf(IS_LONG)(
      'Calls that flow across a midnight are counted on both sides of it: none is refused, and the new day loses no others',
      { timeout: 300_000 },
      async () => {
        // Five calls a second, one after the other: some are left at midnight.
        const amount = 120;
        const flowing = { latencyMs: 180, concurrency: 1 };
        const limits = [requestsPer('day', amount, 'America/Los_Angeles')];
        const midnightAtMs = Date.parse('2026-11-01T07:00Z');
        const clock = testClock(midnightAtMs - 12 * HOUR_MS, 1);
        await using stage = await setNight(home, clock, [provider('flows', { limits, ...flowing })]);
        const runs = await startCrowd(stage, { processes: PROCESSES, linesEach: 500 });
        const arrivals = () => stage.simulator.calls().map(({ arrivedAtMs }) => arrivedAtMs);
        await until('the first calls', () => arrivals().length >= 5, PATIENCE_MS);
        // A call under way now was made today, and it stays today.
        await moveNight(stage, clock, { originMs: midnightAtMs - NOTICED_WITHIN_MS, rate: 1 });

        const after = () => arrivals().filter((atMs) => atMs >= midnightAtMs).length;
        const before = () => arrivals().length - after();
        const doubtful = () => arrivals().filter((atMs) => atMs >= midnightAtMs - DOUBT_MS).length - after();
        await until('the new day to be used', () => after() >= amount - doubtful(), PATIENCE_MS);
        // Time for one call more than the day allows.
        await delay(3_000);
        await stopCrowd(runs);

        console.log(`before midnight ${before()}, ${doubtful()} of them just before; after it ${after()}`);
        expect(refusals(stage.simulator)).toBe(0);
        expect(doubtful()).toBeGreaterThan(0);
        expect(after()).toBeLessThanOrEqual(amount);
      },
    );
  });
}
