import { describe, expect, it } from 'vitest';
import { ANY_TERMS } from '../../src/core/batch-terms.ts';
import { type LaneAtHand, type LineStory, obstacleOf } from '../../src/app/explain.ts';
import { explanationLines, obstacleText } from '../../src/cli/display/explanation.ts';
import type { Lane, Provider } from '../../src/core/model.ts';
import { aLane, aLimit, NOW_MS } from './a-progress-view.ts';
import { hoursAfter } from '../contracts/night-windows.ts';

const lane: Lane = {
  id: 'groq/small',
  providerId: 'groq',
  model: 'small',
  contextTokens: 8_000,
  maxOutputTokens: 1_000,
  concurrency: 2,
  timeoutMs: 1_000,
  limits: [],
};
const provider: Provider = {
  id: 'groq',
  baseUrl: 'https://groq.test/v1',
  tier: 'free',
  trainsOnData: null,
  dialect: 'groq',
  concurrency: null,
  limits: [],
  refusesParameters: [],
  lanes: [lane],
};
const atHand = (changes: Parameters<typeof aLane>[0] = {}): LaneAtHand => ({
  lane,
  provider,
  progress: aLane(changes),
});

const story = (changes: Partial<LineStory> = {}): LineStory => ({
  atMs: NOW_MS,
  lineNumber: 17,
  customId: 'doc-17',
  state: 'pending',
  poolName: 'small',
  laneIds: ['groq/small'],
  promptTokens: 2_000,
  outputTokens: 320,
  outputIsAsked: false,
  tries: 0,
  excluded: [],
  avoided: [],
  dueAtMs: null,
  attempts: [],
  finalLine: null,
  duplicateLineNumbers: [],
  workers: 1,
  ...changes,
});

const failed = {
  laneId: 'groq/small',
  providerId: 'groq',
  state: 'closed',
  grantedAtMs: NOW_MS - 9_000,
  begunAtMs: NOW_MS - 9_000,
  closedAtMs: NOW_MS - 8_000,
  outcome: 'useless-answer',
  reason: 'the answer was empty',
  promptTokens: 1_900,
  completionTokens: 0,
} as const;

describe('what stands between a line and a lane', () => {
  it('is nothing when the lane is open and has room', () => {
    expect(obstacleOf(story(), 'groq/small', atHand())).toEqual({ kind: 'none' });
  });

  it('is the attempt that ruled the lane or its provider out', () => {
    for (const scope of ['groq/small', 'groq']) {
      const found = obstacleOf(story({ excluded: [scope], attempts: [failed] }), 'groq/small', atHand());
      expect(found).toEqual({ kind: 'excluded', attempt: 1, reason: 'the answer was empty' });
    }
  });

  it('is the size of the line when no quota could ever help', () => {
    expect(obstacleOf(story({ promptTokens: 9_000 }), 'groq/small', atHand()).kind).toBe('too-small');
  });

  it('is the closing of the lane, with the reason', () => {
    const closing = {
      scope: 'groq',
      untilMs: NOW_MS + 1,
      kind: 'sick',
      reason: 'HTTP 500',
      needsUser: false,
    };
    const found = obstacleOf(story(), 'groq/small', atHand({ closing }));
    expect(found).toMatchObject({ kind: 'closed', reason: 'HTTP 500' });
  });

  it('is the window that frees last of those with too little left', () => {
    const soon = aLimit({ used: 30, freesAtMs: NOW_MS + 10_000 });
    const later = aLimit({ metric: 'tokens', amount: 8_000, used: 7_000, freesAtMs: NOW_MS + 50_000 });
    const found = obstacleOf(story(), 'groq/small', atHand({ limits: [soon, later] }));
    expect(found).toMatchObject({ kind: 'no-quota', limit: later, needed: 2_320, untilMs: NOW_MS + 50_000 });
  });

  it('tells when a refilling window has drained enough', () => {
    const bucket = aLimit({ metric: 'tokens', windowKind: 'refill', amount: 6_000, used: 5_000 });
    const found = obstacleOf(story(), 'groq/small', atHand({ limits: [bucket] }));
    expect(found).toMatchObject({ kind: 'no-quota', untilMs: NOW_MS + 13_200 });
  });

  it('is the call slots when all are taken', () => {
    expect(obstacleOf(story(), 'groq/small', atHand({ callsUnderWay: 2 })).kind).toBe('all-slots-taken');
  });

  it('is the configuration when the lane is gone from it', () => {
    expect(obstacleOf(story(), 'old/lane', undefined)).toEqual({ kind: 'not-configured' });
    expect(obstacleText({ kind: 'not-configured' }, NOW_MS)).toContain('any more');
  });
});

describe('the explanation of a line', () => {
  const batch = {
    id: 3,
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
    outputPath: '/o.jsonl',
    errorPath: '/o.errors.jsonl',
    createdAtMs: 0,
    completedAtMs: null,
    total: 20,
    bad: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    promptTokens: 0,
    completionTokens: 0,
  } as const;

  it('says where it stands, lists the attempts, and what each lane waits for', () => {
    const parked = story({ state: 'parked', dueAtMs: NOW_MS + 60_000, attempts: [failed], tries: 1 });
    const lanes = [
      { laneId: 'groq/small', obstacle: { kind: 'avoided', untilMs: NOW_MS + 60_000, attempt: 1 } },
    ] as const;
    const text = explanationLines({ batch, namesakes: 1, story: parked, lanes }).join('\n');
    expect(text).toContain('doc-17: line 17 of batch "tonight" (id 3)');
    expect(text).toMatch(/parked until .* \(in 1 min\) \(1 try counted\)/);
    expect(text).toContain('useless-answer: the answer was empty');
    expect(text).toMatch(/groq\/small: avoided until .* after attempt 1/);
  });

  it('says that it took the latest of several batches of that name', () => {
    const [, second] = explanationLines({ batch, namesakes: 3, story: story(), lanes: [] });
    expect(second).toContain('the latest of 3 batches of this name');
  });

  it('names the policy of the batch, where it has one', () => {
    const policy = { forbidsTraining: true, regions: ['EU'], only: [], except: [] };
    const told = { namesakes: 1, story: story(), lanes: [] };
    expect(explanationLines({ ...told, batch: { ...batch, policy } })).toContain(
      '  only on lanes that `--no-training --region EU` allows',
    );
    expect(explanationLines({ ...told, batch }).join('\n')).not.toContain('allows');
  });

  it('says that it waits for the hours of its batch, or that its deadline came first', () => {
    const nightWindow = hoursAfter(NOW_MS, 2, 4);
    const waiting = { ...batch, terms: { ...ANY_TERMS, nightWindow } };
    const lanes = [{ laneId: 'groq/small', obstacle: { kind: 'none' } }] as const;
    const text = explanationLines({ batch: waiting, namesakes: 1, story: story(), lanes }).join('\n');
    expect(text).toMatch(/waiting until .* for the hours of its batch/u);
    expect(text).toMatch(/only between .* \(UTC\): waits until/u);
    const done = explanationLines({ batch: waiting, namesakes: 1, story: story({ finalLine: '{}' }), lanes });
    expect(done.join('\n')).not.toContain('only between');
    const paid = [{ laneId: 'dear/large', obstacle: { kind: 'costs-money' } }] as const;
    expect(explanationLines({ batch, namesakes: 1, story: story(), lanes: paid }).join('\n')).toContain(
      'dear/large: costs money',
    );
    const over = { namesakes: 1, lanes: [] };
    const expired = explanationLines({ ...over, batch, story: story({ state: 'expired' }) });
    expect(expired.join('\n')).toContain('the deadline of its batch came before it was done');
    const cancelled = explanationLines({ ...over, batch, story: story({ state: 'cancelled' }) });
    expect(cancelled.join('\n')).toContain('cancelled with its batch');
  });

  it('says so when nobody is at work', () => {
    const lanes = [{ laneId: 'groq/small', obstacle: { kind: 'none' } }] as const;
    const text = explanationLines({ batch, namesakes: 1, story: story({ workers: 0 }), lanes }).join('\n');
    expect(text).toContain('Nobody is at work');
  });

  it('names the error and the file of a final line', () => {
    const finalLine = JSON.stringify({ error: { code: 'bad_key', message: 'no lane' } });
    const text = explanationLines({
      batch,
      namesakes: 1,
      story: story({ state: 'failed', finalLine }),
      lanes: [],
    }).join('\n');
    expect(text).toContain('Why: bad_key: no lane');
    expect(text).toContain('will be in /o.errors.jsonl when the batch is done');
  });
});
