/** The board's words for lanes and calls. */
import { describe, expect, test } from 'vitest';
import { callView, grantIdsOf } from '../../../src/adapters/board/call-view.ts';
import { laneText } from '../../../src/adapters/board/lane-text.ts';
import type { LimitUse } from '../../../src/app/progress.ts';
import { NOW_MS, aLaneProgress, aStory } from './fake-service.ts';

const aLimit = (differences: Partial<LimitUse>): LimitUse => ({
  scope: 'groq',
  metric: 'tokens',
  windowKind: 'rolling',
  perMs: 60_000,
  unit: null,
  timeZone: null,
  anchorAtMs: null,
  amount: 200_000,
  declaredAmount: 200_000,
  reservedAmount: 0,
  evidence: null,
  used: 1_812,
  freesAtMs: null,
  ...differences,
});

describe("a lane's line", () => {
  test.for([
    [{}, 'tokens 1,812/200,000 per min'],
    [{ perMs: 3_000 }, 'tokens 1,812/200,000 per 3 s'],
    [{ perMs: 86_400_000 }, 'tokens 1,812/200,000 per day'],
    [{ perMs: 1_500 }, 'tokens 1,812/200,000 per 1500 ms'],
    [{ perMs: null, unit: 'day' }, 'tokens 1,812/200,000 per day'],
    [{ perMs: null, windowKind: 'fixed-month' }, 'tokens 1,812/200,000 per month'],
    [{ perMs: null, unit: 'week' }, 'tokens 1,812/200,000 per week'],
    [{ windowKind: 'session', perMs: 18_000_000 }, 'tokens 1,812/200,000 per 5 h'],
    [{ metric: 'units', amount: 10_000 }, 'units 1,812/10,000 per min'],
    [{ metric: 'inputTokens' }, 'input tokens 1,812/200,000 per min'],
  ] as const)('has each limit with what is used of it: %o', ([differences, words]) => {
    expect(laneText(aLaneProgress('groq/a', { limits: [aLimit(differences)] }))).toBe(
      `open · 1 worker · no calls under way · ${words}`,
    );
  });

  test('tells a lowered limit, what is declared, and why', () => {
    const evidence = {
      sinceMs: NOW_MS,
      lastAtMs: NOW_MS,
      refusals: 2,
      reason: 'Rate limit reached',
      probeAtMs: NOW_MS,
    };
    const limit = aLimit({ amount: 140_000, declaredAmount: 200_000, evidence });
    expect(laneText(aLaneProgress('groq/a', { limits: [limit] }))).toContain(
      'tokens 1,812/140,000 per min (lowered from 200,000: Rate limit reached)',
    );
  });

  test('says first that it needs somebody', () => {
    const closing = {
      scope: 'groq',
      untilMs: NOW_MS,
      kind: 'key',
      reason: 'the key was refused',
      needsUser: true,
    };
    expect(laneText(aLaneProgress('groq/a', { closing, limits: [], workers: 2, callsUnderWay: 3 }))).toBe(
      'needs you: the key was refused · 2 workers · 3 calls under way',
    );
  });
});

describe('a job that carries calls', () => {
  test('is named after its first grant, and tells each', () => {
    const stories = [aStory(7), aStory(8), aStory(9)];
    const view = callView([7, 8, 9], (id) => stories.find(({ grantId }) => grantId === id), false);
    expect(view.name).toBe('speech-7 of "docs" and 2 more');
    expect(Object.keys(view.data)).toEqual(['grant 7', 'grant 8', 'grant 9']);
  });

  test('shows the beginning of a huge document only', () => {
    const view = callView([7], () => aStory(7, { line: 'x'.repeat(50_000) }), true);
    expect(view.data['grant 7']?.['text']).toMatch(/^x{10000} \.\.\. \(40000 characters more\)$/u);
  });

  test.for([undefined, null, 'grants', {}, { grants: 'none' }, { grants: [1.5, '7', null] }])(
    'is left as it is if its data is none of ours: %o',
    (data) => {
      expect(grantIdsOf(data)).toEqual([]);
    },
  );
});
