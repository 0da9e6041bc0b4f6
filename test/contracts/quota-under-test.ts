/** What the quota suite needs of an implementation: the pure one and the record are driven through the same words. */
import type { QuotaScope, Settlement } from '../../src/core/quota/quota.ts';
import type { TokenEstimate } from '../../src/core/model.ts';

/** An answer to a reservation: a grant's id, or when to ask again. */
export type Answer =
  | { readonly kind: 'granted'; readonly grant: number }
  | { readonly kind: 'refused'; readonly roomAtMs: number | null };

/** One implementation of quota. Time stands still between calls of `setClock`. */
export interface QuotaUnderTest {
  /** Forgets everything and starts with these limits. */
  reset(scopes: readonly QuotaScope[], nowMs: number): Promise<void>;
  setClock(nowMs: number): Promise<void>;
  /** Somebody set the clock, by so much, and it was noticed at once. */
  stepClock(byMs: number): Promise<void>;
  reserve(scopes: readonly string[], need: TokenEstimate): Promise<Answer>;
  /** Begins a call and says from when on it counts; `null`: it may not begin any more, and was given back. */
  begin(grant: number): Promise<number | null>;
  /** `sentAtMs`: when the call was sent; `null`: when it began. */
  settle(grant: number, settlement: Settlement, sentAtMs: number | null): Promise<void>;
  /** The worker dies: what has begun is lost, and grants older than now that have not begun are given back. */
  crash(): Promise<void>;
  /** Grants older than now that have not begun are given back. */
  expire(): Promise<void>;
  /** What is in use, per limit, by {@link limitName}. */
  inUse(): Promise<ReadonlyMap<string, number>>;
  /** Throws if the implementation's own books do not add up. */
  audit(): Promise<void>;
}

/** A name for a limit of a scope that is the same in every implementation. */
export const limitName = (
  scope: string,
  metric: string,
  window: Readonly<Record<string, string | number | null>>,
): string =>
  [scope, metric, window['kind'], window['perMs'], window['anchorAtMs'], window['timeZone'], window['unit']]
    .map((part) => String(part ?? ''))
    .join(' ');
