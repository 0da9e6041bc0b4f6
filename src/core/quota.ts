/**
 * Quota arithmetic: when a call stops counting against a limit. The record does the same in SQL
 * (src/adapters/postgres/migrations/0002-quota.sql); one property suite holds both to one reference model.
 */
import type { Window } from './model.ts';

/** Share of a window by which its end is stretched. */
const MARGIN_RATIO = 0.02;
/** And never by more than this. */
const LONGEST_MARGIN_MS = 2_000;

/**
 * How far apart we and the provider may be about when a call was made, in milliseconds: 2 % of the window, at most
 * 2 s. It stretches time and never counts, so that small limits lose nothing.
 */
export const marginMs = (window: Window): number =>
  'perMs' in window ? Math.min(LONGEST_MARGIN_MS, Math.ceil(window.perMs * MARGIN_RATIO)) : LONGEST_MARGIN_MS;
