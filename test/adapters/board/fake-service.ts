/** A record of lanes, batches and grants in memory, as far as the board asks. */
import type { BoardOptions } from '../../../src/adapters/board/open-board.ts';
import { type BatchStatus, BatchRefused } from '../../../src/app/batches.ts';
import type { BatchGroup, BatchRoll, GrantStories, GrantStory } from '../../../src/app/grant-stories.ts';
import { ANY_TERMS } from '../../../src/core/batch-terms.ts';
import type { Batch } from '../../../src/app/batch-store.ts';
import type { Forecast } from '../../../src/core/plan/forecast.ts';
import type { LaneProgress } from '../../../src/app/progress.ts';

/** 2026-11-20T07:00:00Z. */
export const NOW_MS = 1_795_158_000_000;

/** An open lane with one limit and one worker. */
export const aLaneProgress = (laneId: string, differences: Partial<LaneProgress> = {}): LaneProgress => ({
  laneId,
  providerId: laneId.split('/')[0] ?? laneId,
  callsUnderWay: 0,
  calls: 0,
  succeeded: 0,
  rejected: 0,
  promptTokens: 0,
  completionTokens: 0,
  limits: [
    {
      scope: laneId,
      metric: 'requests',
      windowKind: 'rolling',
      perMs: 60_000,
      unit: null,
      timeZone: null,
      anchorAtMs: null,
      amount: 30,
      declaredAmount: 30,
      reservedAmount: 0,
      evidence: null,
      used: 6,
      freesAtMs: null,
    },
  ],
  closing: null,
  isPaused: false,
  workers: 1,
  ...differences,
});

/** A batch of 5,000 lines in progress, 150 of them done. */
export const aBatch = (id: number, differences: Partial<Batch> = {}): Batch => ({
  id,
  identity: `identity-${id}`,
  name: `docs-${id}`,
  state: 'in_progress',
  isPaused: false,
  policy: null,
  maxCostNanoDollars: null,
  spentNanoDollars: 0,
  heldNanoDollars: 0,
  refusedNanoDollars: null,
  terms: ANY_TERMS,
  deadlineText: null,
  outputPath: '/out.jsonl',
  errorPath: '/out.errors.jsonl',
  createdAtMs: NOW_MS - 60_000,
  completedAtMs: null,
  total: 5_000,
  bad: 2,
  succeeded: 140,
  failed: 8,
  cancelled: 0,
  expired: 0,
  promptTokens: 10_000,
  completionTokens: 4_000,
  ...differences,
});

/** A grant of `groq/gpt-oss-20b` whose call was answered with 413. */
export const aStory = (grantId: number, differences: Partial<GrantStory> = {}): GrantStory => ({
  grantId,
  laneId: 'groq/gpt-oss-20b',
  batchId: 1,
  batchName: 'docs',
  customId: `speech-${grantId}`,
  lineNumber: grantId,
  state: 'closed',
  outcome: 'too-large',
  reason: 'the request is too large for this model',
  grantedAtMs: NOW_MS - 3_000,
  begunAtMs: NOW_MS - 2_000,
  closedAtMs: NOW_MS - 1_000,
  promptTokens: 812,
  completionTokens: null,
  line: '{"id":"a","text":"My fellow citizens of the Senate"}',
  ...differences,
});

/** The fake, and the strings to pull. */
export interface FakeService {
  readonly batches: BoardOptions['batches'];
  readonly roll: BatchRoll;
  readonly stories: GrantStories;
  /** What the ports were asked, in order: `lanes`, `pauseLane groq/gpt-oss-20b`. */
  readonly asked: readonly string[];
  setLanes(lanes: readonly LaneProgress[]): void;
  setBatches(batches: readonly Batch[]): void;
  /** Of every batch. */
  setForecast(forecast: Forecast | null): void;
  setStories(stories: readonly GrantStory[]): void;
}

/** A service with nothing in it. */
export const openFakeService = (): FakeService => {
  const asked: string[] = [];
  let lanes: readonly LaneProgress[] = [];
  let batches: readonly Batch[] = [];
  let stories: readonly GrantStory[] = [];
  let forecast: Forecast | null = null;

  const setPaused = async (laneId: string, isPaused: boolean): Promise<void> => {
    asked.push(`${isPaused ? 'pauseLane' : 'resumeLane'} ${laneId}`);
    if (!lanes.some((lane) => lane.laneId === laneId))
      throw new BatchRefused('not-found', `Expected a lane, got ${laneId}.`);
    lanes = lanes.map((lane) => (lane.laneId === laneId ? { ...lane, isPaused } : lane));
  };

  const status = async (ref: string): Promise<BatchStatus> => {
    asked.push(`status ${ref}`);
    const batch = batches.find(({ id, name }) => name === ref || String(id) === ref || `id:${id}` === ref);
    if (batch === undefined) throw new BatchRefused('not-found', `Expected a batch, got ${ref}.`);
    return {
      progress: {
        atMs: NOW_MS,
        batch,
        parked: 3,
        nextDueAtMs: null,
        underWay: 9,
        forecast,
        lanes,
        savings: null,
      },
      laneIds: lanes.map((lane) => lane.laneId),
      warnings: [],
    };
  };

  const inGroup = (group: BatchGroup): readonly Batch[] =>
    batches.filter((batch) => groupOf(batch) === group).toSorted((a, b) => b.id - a.id);

  return {
    asked,
    setLanes(next) {
      lanes = next;
    },
    setBatches(next) {
      batches = next;
    },
    setForecast(next) {
      forecast = next;
    },
    setStories(next) {
      stories = next;
    },
    batches: {
      status,
      async lanes() {
        asked.push('lanes');
        return lanes;
      },
      pauseLane: (laneId) => setPaused(laneId, true),
      resumeLane: (laneId) => setPaused(laneId, false),
    },
    roll: {
      counts: async () => ({
        running: inGroup('running').length,
        paused: inGroup('paused').length,
        completed: inGroup('completed').length,
        cancelled: inGroup('cancelled').length,
      }),
      page: async (group, { skip, atMost }) => inGroup(group).slice(skip, skip + atMost),
    },
    stories: {
      storiesOf: async (grantIds) => stories.filter((story) => grantIds.includes(story.grantId)),
    },
  };
};

const groupOf = ({ state, isPaused }: Batch): BatchGroup => {
  if (state === 'completed') return 'completed';
  if (state !== 'in_progress') return 'cancelled';
  return isPaused ? 'paused' : 'running';
};
