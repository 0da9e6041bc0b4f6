/** When a window that a provider calls used up opens again, by what the configuration declares. */
import type { QuotaPeriod } from '../core/failures/failure.ts';
import { PERIOD_MS } from '../core/quota/period-lengths.ts';
import { marginMs, windowEndMs, windowMs } from '../core/quota/window.ts';
import type { Routing } from './ports.ts';

/**
 * A window that refills or rolls has room again long before it is over, and nobody knows when a session ends: they are
 * tried again after this part of their length, and at least this often.
 */
const RETRY_OPEN_WINDOW_SHARE = 1 / 20;
const RETRY_OPEN_WINDOW_MS = 15 * 60_000;

/** The end of the declared window of that period on that lane or provider; without one, a guess that errs on the late side. */
export const declaredResetAtMs = (
  routing: Routing,
  scope: string,
  period: QuotaPeriod,
  nowMs: number,
): number => {
  const lane = routing.lane(scope);
  const provider = routing.provider(lane?.providerId ?? scope);
  const limits = [...(lane?.limits ?? []), ...(provider?.limits ?? [])];
  const [longest] = limits
    .filter(({ window }) =>
      period === 'session' ? window.kind === 'session' : windowMs(window) >= PERIOD_MS[period] / 2,
    )
    .toSorted((a, b) => windowMs(a.window) - windowMs(b.window));
  if (longest === undefined) return nowMs + PERIOD_MS[period];
  const { window } = longest;
  if (window.kind === 'rolling' || window.kind === 'refill' || window.kind === 'session')
    return nowMs + Math.min(RETRY_OPEN_WINDOW_MS, windowMs(window) * RETRY_OPEN_WINDOW_SHARE);
  return windowEndMs(window, nowMs) + marginMs(window);
};
