/** How far this machine's clock is from the providers', which decides when their days are over. Pure. */
import type { Probe } from '../../adapters/openai/probe-provider.ts';
import { counted, durationText } from '../text/quantity.ts';

/** What the `Date` headers of all answers say together. */
export interface ClockFinding {
  readonly isGood: boolean;
  /** The middle of what the providers said: their clock less ours, in milliseconds. */
  readonly aheadMs: number;
  /** How many said it. */
  readonly providers: number;
  /** One sentence. */
  readonly text: string;
}

/** More than this between two clocks makes calendar windows open at the wrong time. */
export const CLOCK_TOLERANCE_MS = 2_000;

/** `null` where no provider told the time. One provider whose clock is wrong does not make ours wrong. */
export function clockFinding(probes: readonly Probe[]): ClockFinding | null {
  const said = probes.flatMap((probe) => clockAheadOf(probe) ?? []).toSorted((a, b) => a - b);
  const middle = said[(said.length - 1) >> 1];
  if (middle === undefined) return null;
  const isGood = Math.abs(middle) <= CLOCK_TOLERANCE_MS;
  const of = counted(said.length, 'provider');
  const text = isGood
    ? `agrees with ${of} to ${CLOCK_TOLERANCE_MS / 1_000} s`
    : `${apartText(middle)} that of ${of}: quotas that reset at midnight would be misjudged. Set it by network time.`;
  return { isGood, aheadMs: middle, providers: said.length, text };
}

/** The provider's clock less ours; `null` where it did not say. */
export function clockAheadOf(probe: Probe): number | null {
  return probe.kind === 'silent' ? null : probe.clockAheadMs;
}

/** `1 min 30 s behind`: where our clock is, seen from one that is so far ahead. */
export function apartText(aheadMs: number): string {
  return `${durationText(Math.abs(aheadMs))} ${aheadMs > 0 ? 'behind' : 'ahead of'}`;
}
