/** What a round of checks has spent, in words. Pure. */
import { counted } from '../text/quantity.ts';
import type { PlannedCheck } from './key-check.ts';

/** The calls of one `doctor`. */
export interface Spending {
  readonly calls: number;
  /** Providers whose call may have counted against a quota. */
  readonly mayCount: readonly string[];
  /** Providers that were not asked. */
  readonly notAsked: readonly string[];
}

/** The sum of what was planned, by provider. */
export function spendingOf(checks: ReadonlyMap<string, PlannedCheck | null>): Spending {
  const entries = [...checks];
  return {
    calls: entries.filter(([, check]) => check !== null).length,
    mayCount: entries.filter(([, check]) => check?.mayCount === true).map(([id]) => id),
    notAsked: entries.filter(([, check]) => check === null).map(([id]) => id),
  };
}

/** `Spent: 6 calls, one for each provider; none counts against a quota as far as is known.` */
export function spendingText({ calls, mayCount, notAsked }: Spending): string {
  const made =
    calls === 0
      ? 'Spent: nothing, for nobody was asked'
      : `Spent: ${counted(calls, 'call')}, at most one for each provider`;
  const cost =
    mayCount.length > 0
      ? `; that of ${mayCount.join(', ')} may count against the quota, the others do not as far as is known`
      : calls > 0
        ? '; none counts against a quota as far as is known'
        : '';
  const left =
    notAsked.length === 0
      ? ''
      : ` Not asked, because a call may count: ${notAsked.join(', ')} (--all asks them, too).`;
  return `${made}${cost}.${left}`;
}
