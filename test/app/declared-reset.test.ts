import { describe, expect, it } from 'vitest';
import { declaredResetAtMs } from '../../src/app/declared-reset.ts';
import type { Limit, Window } from '../../src/core/model.ts';
import { aLane, aProvider, NOW_MS, routingFor } from './fakes.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MARGIN_MS = 2_000;

const per = (window: Window): Limit => ({ metric: 'requests', amount: 100, window });
const PER_MINUTE = per({ kind: 'rolling', perMs: MINUTE_MS });
const UTC_DAY = per({ kind: 'calendar', unit: 'day', timeZone: 'UTC' });
const PACIFIC_DAY = per({ kind: 'calendar', unit: 'day', timeZone: 'America/Los_Angeles' });
const UTC_MONTH = per({ kind: 'calendar', unit: 'month', timeZone: 'UTC' });

const resetOf = (limits: readonly Limit[], period: 'day' | 'session' | 'week' | 'month'): number => {
  const routing = routingFor([aProvider([aLane('alpha/small', { limits })])]);
  return declaredResetAtMs(routing, 'alpha/small', period, NOW_MS);
};

describe('declaredResetAtMs', () => {
  it('is the end of the declared day in its time zone, and the margin by which that window opens late', () => {
    expect(resetOf([PER_MINUTE, UTC_DAY], 'day')).toBe(Date.UTC(2026, 10, 21) + MARGIN_MS);
    expect(resetOf([PACIFIC_DAY], 'day')).toBe(Date.UTC(2026, 10, 20, 8) + MARGIN_MS);
  });

  it('takes the window of the period, whatever else is declared', () => {
    const limits = [UTC_MONTH, PER_MINUTE, UTC_DAY];
    expect(resetOf(limits, 'day')).toBe(Date.UTC(2026, 10, 21) + MARGIN_MS);
    expect(resetOf(limits, 'month')).toBe(Date.UTC(2026, 11, 1) + MARGIN_MS);
  });

  it('counts months from the day of sign-up where they are declared so', () => {
    const anchorAtMs = Date.UTC(2026, 0, 25, 12);
    expect(resetOf([per({ kind: 'fixed-month', anchorAtMs, timeZone: 'UTC' })], 'month')).toBe(
      Date.UTC(2026, 10, 25, 12) + MARGIN_MS,
    );
  });

  it.each(['rolling', 'refill'] as const)('tries a %s day again after a quarter of an hour', (kind) => {
    expect(resetOf([per({ kind, perMs: DAY_MS })], 'day')).toBe(NOW_MS + 15 * MINUTE_MS);
  });

  it.each([
    ['five hours', 5 * 60, 15],
    ['forty minutes', 40, 2],
  ])('tries a session of %s again soon, however long sessions are elsewhere', (_, minutes, soon) => {
    const session = per({ kind: 'session', perMs: minutes * MINUTE_MS });
    expect(resetOf([PER_MINUTE, session, UTC_DAY], 'session')).toBe(NOW_MS + soon * MINUTE_MS);
  });

  it('waits the whole period where no window of such a length is declared', () => {
    expect(resetOf([PER_MINUTE], 'day')).toBe(NOW_MS + DAY_MS);
    expect(resetOf([UTC_DAY], 'week')).toBe(NOW_MS + 7 * DAY_MS);
    expect(resetOf([], 'month')).toBe(NOW_MS + 30 * DAY_MS);
  });

  it("finds the provider's window for a lane and for the provider itself", () => {
    const routing = routingFor([aProvider([aLane('alpha/small')], { limits: [UTC_DAY] })]);
    const midnightMs = Date.UTC(2026, 10, 21) + MARGIN_MS;
    expect(declaredResetAtMs(routing, 'alpha/small', 'day', NOW_MS)).toBe(midnightMs);
    expect(declaredResetAtMs(routing, 'alpha', 'day', NOW_MS)).toBe(midnightMs);
  });

  it("does not look at a lane's windows for its provider", () => {
    const routing = routingFor([aProvider([aLane('alpha/small', { limits: [UTC_DAY] })])]);
    expect(declaredResetAtMs(routing, 'alpha', 'day', NOW_MS)).toBe(NOW_MS + DAY_MS);
  });

  it('waits the whole period for a lane that nobody knows', () => {
    expect(declaredResetAtMs(routingFor([]), 'gone/lane', 'day', NOW_MS)).toBe(NOW_MS + DAY_MS);
  });
});
