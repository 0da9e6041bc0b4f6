/** Views and lanes for display tests. */
import type { Batch } from '../../src/app/batch-store.ts';
import type { LaneProgress, LimitUse, Progress } from '../../src/app/progress.ts';
import type { LaneView, ProgressView } from '../../src/cli/display/progress-view.ts';
import { aBatch } from '../app/fakes.ts';

/** 20 November 2026, 08:00 UTC. */
export const NOW_MS = 1_795_161_600_000;

/** A limit with everything left, lowered by nothing unless said. */
export const aLimit = (changes: Partial<LimitUse> = {}): LimitUse => ({
  scope: 'groq/small',
  metric: 'requests',
  windowKind: 'rolling',
  perMs: 60_000,
  unit: null,
  timeZone: null,
  anchorAtMs: null,
  amount: 30,
  declaredAmount: changes.amount ?? 30,
  reservedAmount: 0,
  evidence: null,
  used: 0,
  freesAtMs: null,
  ...changes,
});

/** A lane as the record has it. */
export const aLane = (changes: Partial<LaneProgress> = {}): LaneProgress => ({
  laneId: 'groq/small',
  providerId: 'groq',
  callsUnderWay: 0,
  calls: 0,
  succeeded: 0,
  rejected: 0,
  promptTokens: 0,
  completionTokens: 0,
  limits: [],
  closing: null,
  isPaused: false,
  workers: 1,
  ...changes,
});

/** How a batch stands that has these lanes: nothing parked or under way. */
export const aProgress = (batch: Partial<Batch> = {}, lanes: Progress['lanes'] = []): Progress => ({
  atMs: NOW_MS,
  batch: aBatch(batch),
  parked: 0,
  nextDueAtMs: null,
  savings: null,
  underWay: 0,
  forecast: null,
  lanes,
});

/** A lane on display. */
export const aLaneView = (changes: Partial<LaneView> = {}): LaneView => ({
  laneId: 'groq/small',
  callsUnderWay: 0,
  calls: 0,
  rejected: 0,
  tokens: 0,
  limits: [],
  state: { kind: 'idle' },
  ...changes,
});

/** A batch on display. */
export const aView = (changes: Partial<ProgressView> = {}): ProgressView => ({
  atMs: NOW_MS,
  name: 'tonight',
  total: 4_500,
  done: 450,
  failed: 0,
  bad: 0,
  parked: 0,
  underWay: 8,
  linesPerMinute: 84,
  outlook: { kind: 'unknown' },
  lanes: [],
  forecast: null,
  notice: null,
  ...changes,
});
