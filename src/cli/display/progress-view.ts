/** What a display shows of a batch at one instant: read from the record, set against what was there when it began. */
import {
  expiresAtMs,
  isFinal,
  type LaneProgress,
  linesDone,
  type Progress,
  waitsForNightUntilMs,
} from '../../app/progress.ts';
import { type LaneState, laneState, opensAtMs } from './lane-state.ts';
import { byMetricAndLength } from '../text/limit-label.ts';
import { createPace } from './pace.ts';

/** What can be said about the end. */
export type Outlook =
  | { readonly kind: 'unknown' | 'done' }
  /** By the plan, resets and all. */
  | ({ readonly kind: 'forecast' } & ForecastView)
  /** At the pace of the last minute, where there is no plan. */
  | { readonly kind: 'pace'; readonly finishAtMs: number }
  /** Nothing runs before `untilMs`; `laneId` opens then, `null` where a parked request wakes. */
  | { readonly kind: 'waiting'; readonly laneId: string | null; readonly untilMs: number }
  /** Its night window opens at `untilMs`. */
  | { readonly kind: 'outside-hours'; readonly untilMs: number };

/** What the plan says of the end. */
export interface ForecastView {
  readonly finishAtMs: number;
  readonly spreadMs: number;
  /** What the rest waits for next; `null` where it waits for nothing in particular. */
  readonly next: {
    readonly scope: string;
    readonly atMs: number;
    /** It takes no calls until then; otherwise it merely has its whole quota again. */
    readonly isShut: boolean;
  } | null;
  /** Its deadline, where that comes first: what is not under way then expires. Otherwise `null`. */
  readonly expiresAtMs: number | null;
}

/** Whether nothing runs before a known instant. */
export function isWait({ kind }: Outlook): boolean {
  return kind === 'waiting' || kind === 'outside-hours';
}

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
  /** Also while nothing runs, which the outlook then says; `null` where there is no plan that says it. */
  readonly forecast: ForecastView | null;
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
      const forecast = forecastView(progress, lanes);
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
        outlook: outlookOf(progress, { lanes, forecast, linesPerMinute }),
        forecast,
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

/** What the plan says of the end, if there is one and it says anything. */
export function forecastView(
  progress: Progress,
  lanes: readonly Pick<LaneView, 'laneId' | 'state'>[],
): ForecastView | null {
  const { forecast, batch } = progress;
  if (forecast === null || forecast.finishAtMs === null || isFinal(batch)) return null;
  const { finishAtMs, spreadMs, next } = forecast;
  const isAhead = next !== null && next.atMs > progress.atMs;
  return {
    finishAtMs,
    spreadMs,
    next: isAhead ? { ...next, isShut: isShut(next.scope, lanes) } : null,
    expiresAtMs: expiresAtMs(progress),
  };
}

/** Whether every lane of a scope takes no calls for now. */
function isShut(scope: string, lanes: readonly Pick<LaneView, 'laneId' | 'state'>[]): boolean {
  const own = lanes.filter(({ laneId }) => laneId === scope || laneId.startsWith(`${scope}/`));
  return own.length > 0 && own.every(({ state }) => state.kind === 'closed' || state.kind === 'used-up');
}

interface Seen {
  readonly lanes: readonly LaneView[];
  readonly forecast: ForecastView | null;
  readonly linesPerMinute: number | null;
}

function outlookOf(progress: Progress, { lanes, forecast, linesPerMinute }: Seen): Outlook {
  const { atMs, batch, underWay } = progress;
  if (isFinal(batch)) return { kind: 'done' };
  const nightMs = underWay === 0 ? waitsForNightUntilMs(batch, atMs) : null;
  if (nightMs !== null) return { kind: 'outside-hours', untilMs: nightMs };
  const next = underWay === 0 ? nextOpening(progress, lanes) : null;
  if (next !== null) return next;
  if (forecast !== null) return { kind: 'forecast', ...forecast };
  if (linesPerMinute === null || linesPerMinute <= 0) return { kind: 'unknown' };
  const left = batch.total - linesDone(batch);
  return { kind: 'pace', finishAtMs: atMs + (left / linesPerMinute) * 60_000 };
}

/** Waits shorter than this are part of the ordinary pace of a limited lane. */
const SHORTEST_WAIT_MS = 5_000;

/** Where nothing is parked, those that are due only avoid a lane until then. */
function nextOpening({ atMs, parked, nextDueAtMs }: Progress, lanes: readonly LaneView[]): Outlook | null {
  const openings = lanes
    .map(({ laneId, state }) => ({ laneId, untilMs: opensAtMs(state) }))
    .filter((opening): opening is { laneId: string; untilMs: number } => opening.untilMs !== null);
  const isOpen = openings.length < lanes.length;
  const wakes = parked === 0 || nextDueAtMs === null ? [] : [{ laneId: null, untilMs: nextDueAtMs }];
  const candidates = isOpen ? wakes : [...openings, ...wakes];
  const next = candidates.toSorted((a, b) => a.untilMs - b.untilMs)[0];
  return next === undefined || next.untilMs - atMs < SHORTEST_WAIT_MS ? null : { kind: 'waiting', ...next };
}
