/** When a window that a provider calls used up opens again, by what the configuration declares. */
import type { QuotaPeriod } from '../core/failures/failure.ts';
import { windowMs } from '../core/matching.ts';
import { marginMs } from '../core/quota/quota.ts';
import { windowEndMs } from '../core/quota/window.ts';
import type { Routing } from './ports.ts';

const DAY_MS = 86_400_000;
const PERIOD_MS: Readonly<Record<QuotaPeriod, number>> = {
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
};
/** A day that refills or rolls has room again long before it is over: it is tried again this often. */
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
    .filter((limit) => windowMs(limit) >= PERIOD_MS[period] / 2)
    .toSorted((a, b) => windowMs(a) - windowMs(b));
  if (longest === undefined) return nowMs + PERIOD_MS[period];
  const { window } = longest;
  if (window.kind === 'rolling' || window.kind === 'refill') return nowMs + RETRY_OPEN_WINDOW_MS;
  return windowEndMs(window, nowMs) + marginMs(window);
};
