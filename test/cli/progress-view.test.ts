import { describe, expect, it } from 'vitest';
import { ANY_TERMS } from '../../src/core/batch-terms.ts';
import type { Progress } from '../../src/app/progress.ts';
import { createPace } from '../../src/cli/display/pace.ts';
import { watchProgress } from '../../src/cli/display/progress-view.ts';
import { hoursAfter } from '../contracts/night-windows.ts';
import { aLane, aLimit, NOW_MS } from './a-progress-view.ts';

const reading = (changes: Partial<Progress> & { readonly done?: number } = {}): Progress => ({
  atMs: NOW_MS,
  batch: {
    id: 1,
    identity: 'x',
    name: 'tonight',
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
    createdAtMs: NOW_MS,
    completedAtMs: null,
    total: 100,
    bad: 0,
    succeeded: changes.done ?? 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    promptTokens: 0,
    completionTokens: 0,
  },
  parked: 0,
  nextDueAtMs: null,
  savings: null,
  underWay: 0,
  forecast: null,
  lanes: [],
  ...changes,
});

describe('a pace', () => {
  it('says nothing until three seconds were seen, then the lines per minute', () => {
    const pace = createPace();
    expect(pace.observe(0, 0)).toBeNull();
    expect(pace.observe(2_000, 10)).toBeNull();
    expect(pace.observe(6_000, 30)).toBe(300);
  });

  it('forgets what happened more than a minute ago', () => {
    const pace = createPace();
    pace.observe(0, 0);
    pace.observe(60_000, 600);
    pace.observe(120_000, 600);
    expect(pace.observe(180_000, 600)).toBe(0);
  });
});

/** What is said of the end after ten seconds with this forecast. */
const outlookBy = (forecast: Progress['forecast']) => {
  const watch = watchProgress();
  watch.observe(reading({ done: 0, underWay: 1, forecast }));
  return watch.observe(reading({ atMs: NOW_MS + 10_000, done: 50, underWay: 1, forecast })).outlook.kind;
};

describe('a watched batch', () => {
  it('outside its hours waits for them, once its last call has ended', () => {
    const { batch } = reading();
    const waiting = { ...batch, terms: { ...ANY_TERMS, nightWindow: hoursAfter(NOW_MS, 2, 3) } };
    const untilMs = (Math.floor(NOW_MS / 3_600_000) + 2) * 3_600_000;
    const outlookWith = (underWay: number) =>
      watchProgress().observe(reading({ batch: waiting, underWay, lanes: [aLane()] })).outlook;
    expect(outlookWith(0)).toEqual({ kind: 'outside-hours', untilMs });
    expect(outlookWith(1)).toEqual({ kind: 'unknown' });
  });

  it('counts calls since the display began', () => {
    const watch = watchProgress();
    watch.observe(reading({ lanes: [aLane({ calls: 40 })] }));
    const view = watch.observe(reading({ lanes: [aLane({ calls: 45 })] }));
    expect(view.lanes.map(({ laneId, calls }) => [laneId, calls])).toEqual([['groq/small', 5]]);
  });

  it('foresees the end from the pace', () => {
    const watch = watchProgress();
    watch.observe(reading({ done: 0, underWay: 1 }));
    const { outlook } = watch.observe(reading({ atMs: NOW_MS + 10_000, done: 50, underWay: 1 }));
    expect(outlook).toEqual({ kind: 'pace', finishAtMs: NOW_MS + 20_000 });
  });

  it('foresees the end from the plan where there is one, and says what is next', () => {
    const forecast = {
      madeAtMs: NOW_MS - 5_000,
      finishAtMs: NOW_MS + 7_200_000,
      spreadMs: 600_000,
      next: { scope: 'gemini', atMs: NOW_MS + 3_600_000 },
    };
    const lanes = [
      aLane(),
      aLane({ laneId: 'gemini/flash', limits: [aLimit({ used: 30, freesAtMs: NOW_MS + 3_600_000 })] }),
    ];
    const { outlook } = watchProgress().observe(reading({ lanes, forecast, underWay: 2 }));
    expect(outlook).toEqual({
      kind: 'forecast',
      finishAtMs: NOW_MS + 7_200_000,
      spreadMs: 600_000,
      next: { scope: 'gemini', atMs: NOW_MS + 3_600_000, isShut: true },
      expiresAtMs: null,
    });
  });

  it('goes by the pace where no plan says when it ends', () => {
    const made = { madeAtMs: NOW_MS, spreadMs: 600_000, next: null };
    expect(outlookBy({ ...made, finishAtMs: NOW_MS + 7_200_000 })).toBe('forecast');
    expect(outlookBy({ ...made, finishAtMs: null })).toBe('pace');
    expect(outlookBy(null)).toBe('pace');
  });

  it('names the lane that opens first when nothing runs', () => {
    const closing = {
      scope: 'groq',
      untilMs: NOW_MS + 9_000_000,
      kind: 'day-limit',
      reason: 'x',
      needsUser: false,
    };
    const spent = aLimit({ used: 30, freesAtMs: NOW_MS + 3_600_000 });
    const lanes = [aLane({ closing }), aLane({ laneId: 'gemini/flash', limits: [spent] })];
    const { outlook } = watchProgress().observe(reading({ lanes }));
    expect(outlook).toEqual({ kind: 'waiting', laneId: 'gemini/flash', untilMs: NOW_MS + 3_600_000 });
  });

  it('does not speak of waiting while a lane is open and nothing is parked', () => {
    const waitsForNobody = reading({ lanes: [aLane()] });
    // Some line goes to other lanes first until then.
    const avoidsOne = reading({ lanes: [aLane()], nextDueAtMs: NOW_MS + 300_000 });
    for (const progress of [waitsForNobody, avoidsOne])
      expect(watchProgress().observe(progress).outlook).toEqual({ kind: 'unknown' });
  });

  it('names the first parked request when a lane is open', () => {
    const parked = reading({ lanes: [aLane()], parked: 1, nextDueAtMs: NOW_MS + 60_000 });
    const { outlook } = watchProgress().observe(parked);
    expect(outlook).toEqual({ kind: 'waiting', laneId: null, untilMs: NOW_MS + 60_000 });
  });
});
