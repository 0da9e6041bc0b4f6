/** How a limit stands by the provider's own count, as the headers of an answer tell it. */
import type { Metric } from '../model.ts';
import type { Scope } from '../failures/failure.ts';

/** One limit as the provider sees it at the instant of an answer. */
export interface Standing {
  readonly scope: Scope;
  readonly metric: Metric;
  /** Length of its window in ms (a month: 30 days); `null` where the headers do not tell: then the amount does. */
  readonly periodMs: number | null;
  /** The full amount; `null` where it is not told. */
  readonly amount: number | null;
  /** What is left of it, never negative. */
  readonly remaining: number;
}
