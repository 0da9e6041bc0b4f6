/** The lanes of the live display: one line each, and one for those that find no room. */
import { byTightness, levelOf, levelStyle, quotaLeft, quotaText } from '../text/limit-label.ts';
import { counted, durationText, fullCount, shortCount } from '../text/quantity.ts';
import { lineWidth, type Span, span, type StyledLine } from '../text/styled.ts';
import { oneLine, padEnd, padStart, textWidth } from '../text/width.ts';
import type { LaneState } from './lane-state.ts';
import type { LaneView } from './progress-view.ts';
import { closedLines, neededLines } from './render-closings.ts';
import { loweredLines } from './render-lowered.ts';

interface LaneSpace {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
}

/** More reasons than this would bury the table. */
const MOST_REASONS = 3;

/**
 * A heading and the lanes; below them what needs a person, and in rows that are free why lanes are closed where the
 * table has no room to say so, and which limits refusals have lowered. At most `rows` lines; lines may still be too wide.
 */
export function laneLines(
  lanes: readonly LaneView[],
  { columns, rows, nowMs }: LaneSpace,
): readonly StyledLine[] {
  if (lanes.length === 0 || rows < 2) return [];
  const needed = rows < 3 ? [] : neededLines(lanes);
  const { lines, unread } = laneTable(lanes, { columns, rows: rows - needed.length, nowMs });
  const free = rows - needed.length - lines.length;
  const reasons = [...closedLines(unread, nowMs).slice(0, MOST_REASONS), ...loweredLines(lanes)];
  return [...lines, ...needed, ...reasons.slice(0, free)];
}

/** The table, and those of its lanes that are cut or folded away. */
function laneTable(lanes: readonly LaneView[], { columns, rows, nowMs }: LaneSpace) {
  const shown = lanes.length <= rows - 1 ? lanes : busiest(lanes, rows - 2);
  const nameWidth = widthOfNames(shown, columns);
  const folded = lanes.filter((lane) => !shown.includes(lane));
  const drawn = shown.map((lane) => ({ lane, line: laneLine(lane, nameWidth, nowMs) }));
  const cut = drawn.filter(({ line }) => lineWidth(line) > columns);
  return {
    unread: [...cut.map(({ lane }) => lane), ...folded],
    lines: [
      [span(`  ${padEnd('lane', nameWidth)}  calls  rejected  tokens    resets in  quota left`, 'dim')],
      ...drawn.map(({ line }) => line),
      ...(folded.length === 0 ? [] : [foldedLine(folded)]),
    ],
  };
}

/** Those that say most, in their own order. */
function busiest(lanes: readonly LaneView[], count: number): readonly LaneView[] {
  const chosen = new Set(lanes.toSorted((a, b) => weight(b) - weight(a)).slice(0, Math.max(0, count)));
  return lanes.filter((lane) => chosen.has(lane));
}

function weight({ state, callsUnderWay, calls }: LaneView): number {
  if (state.kind === 'closed' && state.needsUser) return 4;
  if (callsUnderWay > 0) return 3;
  if (calls > 0) return 2;
  return state.kind === 'idle' ? 0 : 1;
}

function foldedLine(folded: readonly LaneView[]): StyledLine {
  const closed = folded.filter(({ state }) => state.kind === 'closed').length;
  const busy = folded.filter(({ state }) => state.kind === 'busy').length;
  const notes = [...(busy > 0 ? [`${busy} calling`] : []), ...(closed > 0 ? [`${closed} closed`] : [])];
  const rest = notes.length === 0 ? 'idle' : `(${notes.join(', ')})`;
  return [span(`  … and ${counted(folded.length, 'more lane')} ${rest}`, 'dim')];
}

const LONGEST_NAME_SHARE = 0.4;

function widthOfNames(lanes: readonly LaneView[], columns: number): number {
  const longest = Math.max('lane'.length, ...lanes.map(({ laneId }) => textWidth(oneLine(laneId))));
  return Math.min(longest, Math.max(8, Math.floor(columns * LONGEST_NAME_SHARE)));
}

function laneLine(lane: LaneView, nameWidth: number, nowMs: number): StyledLine {
  const { laneId, calls, rejected, tokens, state } = lane;
  const isQuiet = state.kind === 'closed' || (state.kind === 'idle' && calls === 0);
  return [
    markOf(lane),
    span(padEnd(oneLine(laneId), nameWidth), isQuiet ? 'dim' : 'plain'),
    span(padStart(fullCount(calls), 7), isQuiet ? 'dim' : 'plain'),
    span(padStart(fullCount(rejected), 10), rejected > 0 ? 'yellow' : 'dim'),
    span(padStart(shortCount(tokens), 8), isQuiet ? 'dim' : 'plain'),
    span(padStart(nextReset(lane, nowMs), 13), 'dim'),
    span('  '),
    ...standing(lane),
  ];
}

function markOf({ state, callsUnderWay }: LaneView): Span {
  if (state.kind === 'closed') return state.needsUser ? span('! ', 'red') : span('× ', 'yellow');
  if (callsUnderWay > 0) return span('● ', 'green');
  return state.kind === 'used-up' ? span('◌ ', 'yellow') : span('○ ', 'dim');
}

/** Why it is closed, or what its windows have left: the tightest first, because the end of the line may be cut. */
function standing(lane: LaneView): readonly Span[] {
  const { state, limits } = lane;
  if (state.kind === 'closed') return [closedSpan(state)];
  if (limits.length === 0) return [span('no limit', 'dim')];
  return limits.toSorted(byTightness).flatMap((limit, index) => {
    const left = quotaLeft(limit);
    const gap = index === 0 ? [] : [span(' · ', 'dim')];
    return [...gap, span(`${levelOf(left, limit.amount)} `, levelStyle(limit)), span(quotaText(limit))];
  });
}

/** Why; when it opens stands in a column of its own. */
function closedSpan({ needsUser, reason }: Extract<LaneState, { kind: 'closed' }>): Span {
  const why = oneLine(reason);
  return needsUser ? span(`needs you: ${why}`, 'red') : span(`closed: ${why}`, 'yellow');
}

/** When the tightest window frees some of what was used; empty where none is in use, or it refills all the time. */
function nextReset({ limits, state }: LaneView, nowMs: number): string {
  if (state.kind === 'closed') return state.needsUser ? '' : waitText(state.untilMs, nowMs);
  const tightest = limits
    .filter(({ used }) => used > 0)
    .toSorted((a, b) => quotaLeft(a) / a.amount - quotaLeft(b) / b.amount)[0];
  const freesAtMs = tightest?.freesAtMs ?? null;
  return freesAtMs === null ? '' : waitText(freesAtMs, nowMs);
}

/** In whole seconds: milliseconds would only flicker. */
function waitText(atMs: number, nowMs: number): string {
  return durationText(Math.max(1_000, atMs - nowMs));
}
