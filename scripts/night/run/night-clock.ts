/** The compressed clock of a night: every process goes by the same setting, a function of the machine's own clock. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  acceleratedClock,
  type Clock,
  type ClockSetting,
  steadyClock,
} from '../../../src/simulator/clock.ts';

/** A clock that may be set again. */
export interface SettableClock extends Clock {
  set(setting: ClockSetting): void;
}

/** It stands at 0 until it is set. */
export const settableClock = (): SettableClock => {
  let clock: Clock = { nowMs: () => 0 };
  return {
    nowMs: () => clock.nowMs(),
    set(setting) {
      clock = acceleratedClock(setting);
    },
  };
};

/** The setting of a clock that says `originMs` now. */
export const startingNow = (originMs: number, rate: number): ClockSetting => ({
  realOriginMs: steadyClock.nowMs(),
  originMs,
  rate,
});

/** A clock one can wait on, in the night's own time. */
export interface NightClock extends Clock {
  /** Resolves after so many ms of the night. */
  sleep(ms: number): Promise<void>;
}

/** The clock of a setting. */
export const nightClock = (setting: ClockSetting): NightClock => {
  const clock = acceleratedClock(setting);
  return {
    nowMs: () => clock.nowMs(),
    sleep: async (ms) => await delay(Math.max(1, ms / setting.rate)),
  };
};
