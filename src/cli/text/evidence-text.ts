/** Why a limit is lower than it is declared, in one sentence each. */
import type { LimitUse } from '../../app/progress.ts';
import { clockTime, counted, fullCount, untilText } from './quantity.ts';
import { oneLine } from './width.ts';

/** What is granted of what is declared, since when, and after how many refusals; `null` where nothing is lowered. */
export function loweredText({ amount, declaredAmount, evidence }: LimitUse, nowMs: number): string | null {
  if (evidence === null) return null;
  const { sinceMs, lastAtMs, refusals } = evidence;
  const last = lastAtMs > sinceMs ? `, the last ${clockTime(lastAtMs, nowMs)}` : '';
  return `lowered to ${fullCount(amount)} of the declared ${fullCount(declaredAmount)} since ${clockTime(sinceMs, nowMs)}: ${counted(refusals, 'refusal')} although there was room by our count${last}`;
}

/** What the provider said, and when a single call next tries for more; none where nothing is lowered. */
export function evidenceTexts({ evidence }: LimitUse, nowMs: number): readonly string[] {
  if (evidence === null) return [];
  return [
    `it said: ${oneLine(evidence.reason)}`,
    `a single call tries for more ${evidence.probeAtMs <= nowMs ? 'next' : `at ${untilText(evidence.probeAtMs, nowMs)}`}`,
  ];
}
