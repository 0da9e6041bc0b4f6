/** What a display shows of a batch at one instant: read from the record, set against what was there when it began. */
import { isFinal, type LaneProgress, linesDone, type Progress } from '../../app/progress.ts';
import { type LaneState, laneState, opensAtMs } from './lane-state.ts';
import { byMetricAndLength } from '../text/limit-label.ts';
import { createPace } from './pace.ts';

/** What can be said about the end. */
export type Outlook =
  | { readonly kind: 'unknown' | 'done' }
  /** At the pace of the last minute. */
  | { readonly kind: 'pace'; readonly finishAtMs: number }
  /** Nothing runs before `untilMs`; `laneId` opens then, `null` where a parked request wakes. */
  | { readonly kind: 'waiting'; readonly laneId: string | null; readonly untilMs: number };

/** One lane of the display. Counts are since the display began. */
export interface LaneView {
  readonly laneId: string;
  readonly callsUnderWay: number;
  readonly calls: number;
  readonly rejected: number;
  readonly tokens: number;
  readonly limits: LaneProgress['limits'];
  readonly state: LaneState;
}

/** A batch on display. */
export interface ProgressView {
  readonly atMs: number;
  readonly name: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly bad: number;
  readonly parked: number;
  readonly underWay: number;
  /** `null` while too little was seen. */
  readonly linesPerMinute: number | null;
  readonly outlook: Outlook;
  readonly lanes: readonly LaneView[];
  /** A sentence for the person who is watching; `null` where there is nothing to say. */
  readonly notice: string | null;
}

/** Turns readings of the record into views. */
export interface ProgressWatch {
  /** The progress's lanes are those the batch may run on. */
  observe(progress: Progress): ProgressView;
}

/** A watch that counts calls from the first reading it is shown. */
export function watchProgress(): ProgressWatch {
  const pace = createPace();
  let atStart: ReadonlyMap<string, LaneProgress> | null = null;
  return {
    observe(progress) {
      const { atMs, batch, parked, underWay } = progress;
      atStart ??= new Map(progress.lanes.map((lane) => [lane.laneId, lane]));
      const lanes = progress.lanes.map((lane) => laneView(lane, atStart?.get(lane.laneId), atMs));
      const linesPerMinute = pace.observe(atMs, linesDone(batch));
      const { name, total, failed, bad } = batch;
      return {
        atMs,
        name,
        total,
        failed,
        bad,
        parked,
        underWay,
        linesPerMinute,
        lanes,
        done: linesDone(batch),
        outlook: outlookOf(progress, lanes, linesPerMinute),
        notice: null,
      };
    },
  };
}

function tokensOf({ promptTokens, completionTokens }: LaneProgress): number {
  return promptTokens + completionTokens;
}

function laneView(now: LaneProgress, before: LaneProgress | undefined, atMs: number): LaneView {
  return {
    laneId: now.laneId,
    callsUnderWay: now.callsUnderWay,
    calls: now.calls - (before?.calls ?? 0),
    rejected: now.rejected - (before?.rejected ?? 0),
    tokens: tokensOf(now) - (before === undefined ? 0 : tokensOf(before)),
    limits: now.limits.toSorted(byMetricAndLength),
    state: laneState(now, atMs),
  };
}

function outlookOf(progress: Progress, lanes: readonly LaneView[], linesPerMinute: number | null): Outlook {
  const { atMs, batch, underWay } = progress;
  if (isFinal(batch)) return { kind: 'done' };
  const next = underWay === 0 ? nextOpening(progress, lanes) : null;
  if (next !== null) return next;
  if (linesPerMinute === null || linesPerMinute <= 0) return { kind: 'unknown' };
  const left = batch.total - linesDone(batch);
  return { kind: 'pace', finishAtMs: atMs + (left / linesPerMinute) * 60_000 };
}

/** Waits shorter than this are part of the ordinary pace of a limited lane. */
const SHORTEST_WAIT_MS = 5_000;

function nextOpening({ atMs, nextDueAtMs }: Progress, lanes: readonly LaneView[]): Outlook | null {
  const openings = lanes
    .map(({ laneId, state }) => ({ laneId, untilMs: opensAtMs(state) }))
    .filter((opening): opening is { laneId: string; untilMs: number } => opening.untilMs !== null);
  const isOpen = openings.length < lanes.length;
  const wakes = nextDueAtMs === null ? [] : [{ laneId: null, untilMs: nextDueAtMs }];
  const candidates = isOpen ? wakes : [...openings, ...wakes];
  const next = candidates.toSorted((a, b) => a.untilMs - b.untilMs)[0];
  return next === undefined || next.untilMs - atMs < SHORTEST_WAIT_MS ? null : { kind: 'waiting', ...next };
}
