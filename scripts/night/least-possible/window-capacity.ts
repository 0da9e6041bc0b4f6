/** How often a window can be used to the full within part of a night. */
import type { SimulatedWindow } from '../../../src/simulator/tier.ts';
import { periodAt } from '../../../src/simulator/windows/periods.ts';
import type { Span } from './night-lanes.ts';

/** Part of a night, and what it is part of. Instants are milliseconds from the beginning. */
export interface Stretch extends Span {
  /** Whether a call may be made at `untilMs` itself. */
  readonly isClosed: boolean;
  /** The night's first instant, on the calendar. */
  readonly startsAtMs: number;
}

/**
 * At most so many times the whole amount passes a window during the stretch, the first time at its first instant:
 *
 * - `rolling`: full at its beginning, and again after every length.
 * - `refill`: what it holds, and what flows in.
 * - `fixed`, `calendar`: every window that has an instant in it.
 * - `session`: one per length, and one that was open before.
 */
export const timesFull = (window: SimulatedWindow, stretch: Stretch): number => {
  const { fromMs, untilMs, isClosed } = stretch;
  const lengthMs = untilMs - fromMs;
  if (lengthMs < 0 || (lengthMs === 0 && !isClosed)) return 0;
  switch (window.kind) {
    case 'rolling':
      return windowsBegun(lengthMs, window.perMs, isClosed);
    case 'refill':
      return 1 + lengthMs / window.perMs;
    case 'session':
      return windowsBegun(lengthMs, window.perMs, isClosed) + (fromMs > 0 ? 1 : 0);
    case 'fixed':
    case 'fixed-month':
    case 'calendar':
      return periodsTouched(window, stretch);
  }
};

/** Windows that follow each other without a gap, the first from the beginning. */
const windowsBegun = (lengthMs: number, perMs: number, isClosed: boolean): number =>
  isClosed ? Math.floor(lengthMs / perMs) + 1 : Math.ceil(lengthMs / perMs);

type PeriodWindow = Parameters<typeof periodAt>[0];

const periodsTouched = (window: PeriodWindow, { fromMs, untilMs, isClosed, startsAtMs }: Stretch): number => {
  const lastAtMs = startsAtMs + untilMs;
  if (window.kind === 'fixed') {
    const { anchorAtMs, perMs } = window;
    const first = Math.floor((startsAtMs + fromMs - anchorAtMs) / perMs);
    const last = (lastAtMs - anchorAtMs) / perMs;
    return (isClosed ? Math.floor(last) + 1 : Math.ceil(last)) - first;
  }
  let periods = 0;
  for (let atMs = startsAtMs + fromMs; isClosed ? atMs <= lastAtMs : atMs < lastAtMs; periods += 1)
    atMs = periodAt(window, atMs).endMs;
  return periods;
};

/**
 * The instants after 0 and before `untilMs` at which it matters when a call is made: where a window with boundaries begins anew,
 * unless that happens all the time (then the first and the last), and where the last whole window of another kind ends.
 */
export const turnsOf = (window: SimulatedWindow, startsAtMs: number, untilMs: number): readonly number[] => {
  switch (window.kind) {
    case 'rolling':
    case 'session':
      return within([Math.floor(untilMs / window.perMs) * window.perMs], untilMs);
    case 'refill':
      return [];
    case 'fixed':
    case 'fixed-month':
    case 'calendar': {
      const all = boundaries(window, startsAtMs, untilMs);
      return all.length <= MOST_BOUNDARIES ? all : [all[0], all.at(-1)].filter((atMs) => atMs !== undefined);
    }
  }
};

/** More parts of a night than these make the programme large and its answer hardly better. */
const MOST_BOUNDARIES = 6;

const boundaries = (window: PeriodWindow, startsAtMs: number, untilMs: number): readonly number[] => {
  const all: number[] = [];
  let atMs = periodAt(window, startsAtMs).endMs - startsAtMs;
  while (atMs < untilMs) {
    all.push(atMs);
    atMs = periodAt(window, startsAtMs + atMs).endMs - startsAtMs;
  }
  return all;
};

const within = (instants: readonly number[], untilMs: number): readonly number[] =>
  instants.filter((atMs) => atMs > 0 && atMs < untilMs);
