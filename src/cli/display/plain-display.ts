/** Progress in plain lines, for files, pipes and journals: seldom, and when something notable happens. */
import { counted, fullCount } from '../text/quantity.ts';
import { oneLine } from '../text/width.ts';
import { stateText } from './lane-state.ts';
import { endText, paceText } from './outlook-text.ts';
import { isWait, type LaneView, type ProgressView, watchProgress } from './progress-view.ts';
import { ingestedLines, readingText } from './reading-text.ts';
import { drainingText, noticeText, type RunDisplay, STOPPING } from './run-display.ts';

/** A line at most this often while nothing notable happens. */
const EVERY_MS = 10_000;
/** While everything waits for hours, a line this often shows that it is alive. */
const EVERY_WHILE_WAITING_MS = 600_000;
const SHARE_STEP = 0.1;

/** Shows a run in lines. */
export function plainDisplay(say: (message: string) => void): RunDisplay {
  const watch = watchProgress();
  let last: ProgressView | null = null;
  let lastReadingAtMs = -Infinity;
  let lanes: readonly LaneView[] = [];
  return {
    say,
    ingesting(status) {
      const nowMs = performance.now();
      if (nowMs - lastReadingAtMs < EVERY_MS) return;
      lastReadingAtMs = nowMs;
      say(readingText(status));
    },
    ingested(submitted) {
      for (const line of ingestedLines(submitted, Date.now())) say(oneLine(line));
    },
    noticed(notices) {
      for (const notice of notices) say(noticeText(notice));
    },
    progressed(progress) {
      const view = watch.observe(progress);
      for (const event of laneEvents(lanes, view.lanes, view.atMs)) say(event);
      lanes = view.lanes;
      if (last !== null && !isWorthALine(last, view)) return;
      last = view;
      say(progressLine(view));
    },
    draining: (callsUnderWay) => say(drainingText(callsUnderWay)),
    stopping: () => say(STOPPING),
    close() {},
  };
}

function stepOf({ done, total }: ProgressView): number {
  return Math.floor(done / total / SHARE_STEP);
}

function isWorthALine(before: ProgressView, now: ProgressView): boolean {
  if (now.done === now.total) return before.done < before.total;
  if (stepOf(now) > stepOf(before)) return true;
  const isWaiting = isWait(before.outlook) && isWait(now.outlook);
  if (isWait(now.outlook) && !isWait(before.outlook)) return true;
  return now.atMs - before.atMs >= (isWaiting ? EVERY_WHILE_WAITING_MS : EVERY_MS);
}

/** `450 of 4,500 lines (10 %) · 0 failed · 12 parked · 8 under way · 84 lines/min · done about 23:41 ±2 min`. */
export function progressLine(view: ProgressView): string {
  const share = view.total === 0 ? 100 : Math.floor((view.done / view.total) * 100);
  return [
    `${fullCount(view.done)} of ${counted(view.total, 'line')} (${share} %)`,
    `${fullCount(view.failed)} failed`,
    ...(view.bad > 0 ? [`${fullCount(view.bad)} bad`] : []),
    `${fullCount(view.parked)} parked`,
    `${fullCount(view.underWay)} under way`,
    paceText(view.linesPerMinute),
    endText(view, view.atMs),
  ].join(' · ');
}

/** Shorter closings are a minute's limit at work: nothing to report. */
const NOTABLE_CLOSING_MS = 15_000;

function laneEvents(before: readonly LaneView[], now: readonly LaneView[], atMs: number): readonly string[] {
  const isNotable = (lane: LaneView | undefined): boolean =>
    lane?.state.kind === 'closed' && (lane.state.needsUser || lane.state.untilMs - atMs > NOTABLE_CLOSING_MS);
  const wasClosed = (laneId: string): boolean =>
    before.find((lane) => lane.laneId === laneId)?.state.kind === 'closed';
  return now
    .filter((lane) => isNotable(lane) && !wasClosed(lane.laneId))
    .map((lane) => oneLine(`lane ${lane.laneId} ${stateText(lane.state, atMs)}`));
}
