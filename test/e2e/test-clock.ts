/**
 * One clock for a night's providers and its record, which a test moves: into a chosen night, and over its dull hours.
 *
 * Both are told the same setting, a function of the machine's own clock, so they agree to a fraction of a millisecond except while
 * they are being moved, for some tens of milliseconds. So the clock is moved only while no call can be under way, or
 * within one and the same window. Processes read the record's clock again every 5 s and sleep no longer than that, so
 * `NOTICED_WITHIN_MS` of real time after a move all of them have noticed.
 */
import type { Clock, ClockSetting } from '../../src/simulator/clock.ts';
import { acceleratedClock, steadyClock } from '../../src/simulator/clock.ts';
import type { Stage } from './stage.ts';

/** Real milliseconds after which every process goes by the moved clock. */
export const NOTICED_WITHIN_MS = 11_000;

/** The providers' side of it; the record's follows with {@link moveNight}. */
export interface TestClock extends Clock {
  /** What it began with. */
  readonly startedAtMs: number;
  readonly rate: number;
  set(setting: ClockSetting): void;
}

/** A clock that begins at an instant now, and runs at that rate until it is set again. */
export const testClock = (originMs: number, rate: number): TestClock => {
  let clock = acceleratedClock({ realOriginMs: steadyClock.nowMs(), originMs, rate });
  return {
    startedAtMs: originMs,
    rate,
    nowMs: () => clock.nowMs(),
    set(setting) {
      clock = acceleratedClock(setting);
    },
  };
};

/**
 * Makes it `originMs` for the providers and the record, and lets time go on from there at that rate. Commands mirror
 * the record's clock, so before the first of them the record must be there: `nightshift providers` makes it.
 */
export const moveNight = async (
  stage: Stage,
  clock: TestClock,
  { originMs, rate }: Pick<ClockSetting, 'originMs' | 'rate'>,
): Promise<void> => {
  const realOriginMs = steadyClock.nowMs();
  await stage.ask(
    `UPDATE clock SET real_origin_ms = ${realOriginMs}, origin_ms = ${originMs}, rate = ${rate}`,
  );
  clock.set({ realOriginMs, originMs, rate });
};
