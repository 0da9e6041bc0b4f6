/** The terms of a batch in words. */
import type { BatchTerms } from '../../core/batch-terms.ts';
import {
  closesAtMs,
  isOpenAt,
  type NightWindow,
  nightWindowText,
  opensAtMs,
} from '../../core/night-window.ts';
import { clockTime, untilText } from '../text/quantity.ts';

/** One line for each term that is not as usual. */
export function termsLines(
  { nightWindow, priority, deadlineAtMs }: BatchTerms,
  nowMs: number,
): readonly string[] {
  return [
    ...(nightWindow === null
      ? []
      : [`only ${betweenText(nightWindow)}: ${windowStanding(nightWindow, nowMs)}`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(deadlineAtMs === null ? [] : [deadlineText(deadlineAtMs, nowMs)]),
  ];
}

/** The same in a few words, for a table: `22:00-07:00, priority 5, by tomorrow 07:00`. */
export function shortTermsText({ nightWindow, priority, deadlineAtMs }: BatchTerms, nowMs: number): string {
  return [
    ...(nightWindow === null ? [] : [nightWindowText(nightWindow)]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(deadlineAtMs === null ? [] : [`by ${clockTime(deadlineAtMs, nowMs)}`]),
  ].join(', ');
}

/** What is different from now on; empty where nothing is. */
export function changedTermsLines(before: BatchTerms, after: BatchTerms, nowMs: number): readonly string[] {
  const { nightWindow, priority, deadlineAtMs } = after;
  const windowBefore = before.nightWindow === null ? null : betweenText(before.nightWindow);
  const windowNow = nightWindow === null ? null : betweenText(nightWindow);
  return [
    ...(windowNow === windowBefore
      ? []
      : [
          `from now on it runs ${windowNow === null ? 'at any time' : `only ${windowNow}`} (before: ${windowBefore ?? 'at any time'})`,
        ]),
    ...(priority === before.priority
      ? []
      : [`from now on its priority is ${priority} (before: ${before.priority})`]),
    ...(deadlineAtMs === before.deadlineAtMs
      ? []
      : [
          `from now on ${deadlineAtMs === null ? 'it has no deadline' : `its deadline is ${untilText(deadlineAtMs, nowMs)}`} ` +
            `(before: ${before.deadlineAtMs === null ? 'none' : clockTime(before.deadlineAtMs, nowMs)})`,
        ]),
  ];
}

/** `between 22:00 and 07:00 (Europe/Berlin)`. */
function betweenText(window: NightWindow): string {
  const [from, until] = nightWindowText(window).split('-');
  return `between ${from} and ${until} (${window.timeZone})`;
}

function windowStanding(window: NightWindow, nowMs: number): string {
  if (!isOpenAt(window, nowMs)) return `waits until ${untilText(opensAtMs(window, nowMs), nowMs)}`;
  return `open until ${untilText(closesAtMs(window, nowMs) ?? nowMs, nowMs)}`;
}

function deadlineText(atMs: number, nowMs: number): string {
  return atMs <= nowMs
    ? `its deadline was ${clockTime(atMs, nowMs)}`
    : `deadline ${untilText(atMs, nowMs)}: what is not under way then expires`;
}
