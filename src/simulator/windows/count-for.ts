/** The count of each kind of window. */
import type { SimulatedWindow } from '../tier.ts';
import type { Count } from './count.ts';
import { periodCount } from './period-count.ts';
import { refillCount } from './refill-count.ts';
import { rollingCount } from './rolling-count.ts';
import { sessionCount } from './session-count.ts';

/** An empty count of `limitAmount` per `window`. */
export function countFor(window: SimulatedWindow, limitAmount: number): Count {
  switch (window.kind) {
    case 'rolling':
      return rollingCount(limitAmount, window.perMs);
    case 'refill':
      return refillCount(limitAmount, window.perMs);
    case 'session':
      return sessionCount(limitAmount, window.perMs);
    case 'fixed':
    case 'fixed-month':
    case 'calendar':
      return periodCount(limitAmount, window);
  }
}
