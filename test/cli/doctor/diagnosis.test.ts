import { describe, expect, it } from 'vitest';
import type { Probe } from '../../../src/adapters/openai/probe-provider.ts';
import { judgeProvider } from '../../../src/cli/doctor/diagnosis.ts';
import type { Examination } from '../../../src/cli/doctor/examination.ts';
import type { Provider } from '../../../src/core/model.ts';
import { aLimit, NOW_MS } from '../a-progress-view.ts';

const lane = (model: string) => ({
  id: `groq/${model}`,
  providerId: 'groq',
  model: `vendor/${model}`,
  contextTokens: 8_000,
  maxOutputTokens: 1_000,
  concurrency: 1,
  timeoutMs: 1_000,
  limits: [],
});

const groq: Provider = {
  id: 'groq',
  baseUrl: 'https://groq.test/v1',
  apiKeyEnv: 'GROQ_API_KEY',
  tier: 'free',
  trainsOnData: null,
  dialect: 'groq',
  concurrency: null,
  limits: [],
  refusesParameters: [],
  lanes: [lane('a'), lane('b')],
};

const judge = (probe: Probe | null, changes: Partial<Examination> = {}) =>
  judgeProvider({
    provider: groq,
    probe,
    provesKey: true,
    closings: [],
    lowered: [],
    nowMs: NOW_MS,
    ...changes,
  });
const answer = (
  ids: readonly string[] | null,
  changes: Partial<Extract<Probe, { kind: 'answered' }>> = {},
): Probe => ({
  kind: 'answered',
  models: ids === null ? null : { ids, isWhole: true },
  account: null,
  clockAheadMs: null,
  ...changes,
});
const notesAt = (clockAheadMs: number) => judge(answer(['vendor/a', 'vendor/b'], { clockAheadMs })).notes;
const refusal = (status: number, reason = 'no'): Probe => ({
  kind: 'refused',
  status,
  reason,
  clockAheadMs: null,
});

describe('the verdict on a provider', () => {
  it('is good when it lists the configured models', () => {
    const verdict = judge(answer(['vendor/a', 'vendor/b'], { clockAheadMs: 200 }));
    expect(verdict).toEqual({
      providerId: 'groq',
      isUsable: true,
      finding: 'accepts the key',
      wayOut: null,
      notes: [],
    });
  });

  it('names a model that is listed no more with those nearest to it, and stays good for the others', () => {
    const verdict = judge(answer(['vendor/a', 'vendor/b2', 'other/thing']));
    expect(verdict.isUsable).toBe(true);
    expect(verdict.notes).toEqual([
      'vendor/b is no longer listed, but vendor/a, vendor/b2: switch it off with `b: false` under `models`.',
    ]);
  });

  it('says nothing is gone when only a part of the list came', () => {
    const verdict = judge(answer(null, { models: { ids: ['vendor/z'], isWhole: false } }));
    expect(verdict).toMatchObject({
      isUsable: true,
      notes: ['It lists its models in parts; not in the first: vendor/a, vendor/b.'],
    });
  });

  it('is bad when none of the models is there', () => {
    expect(judge(answer(['vendor/z']))).toMatchObject({
      isUsable: false,
      wayOut: expect.stringContaining('vendor/z'),
    });
  });

  it('does not call a key good that anybody could have shown', () => {
    expect(judge(answer(['vendor/a', 'vendor/b']), { provesKey: false }).finding).toBe(
      'answers; the key is untested, because anybody gets this answer',
    );
  });

  it('is good but untested where a call would have counted', () => {
    expect(judge(null)).toMatchObject({
      isUsable: true,
      finding: 'was not asked, for a call may count; the key is untested',
      notes: [],
    });
  });

  it('tells what the account may still do, and that more is allowed than is configured', () => {
    const day = { kind: 'calendar', unit: 'day', timeZone: 'UTC' } as const;
    const provider = {
      ...groq,
      limits: [{ metric: 'requests', amount: 40, reserved: 10, window: day }],
    } as const;
    const account = { freeRequestsToday: { used: 7, limit: 1_000 }, creditLeft: 3.5, creditUsed: 0 };
    expect(judge(answer(null, { account }), { provider }).notes.slice(1)).toEqual([
      '7 of 1,000 free requests were made today, by its own count.',
      'The configuration says 50 a day; `limits` of groq can say 1,000.',
      'The key may still spend $3.50.',
    ]);
  });

  it('says that models were not looked up where the one call does not tell', () => {
    expect(judge(answer(null)).notes).toEqual([
      'Whether its models are still there is not known: one call is made, and it does not tell.',
    ]);
  });

  it('mentions limits that refusals have lowered, of this provider alone', () => {
    const evidence = { sinceMs: NOW_MS, lastAtMs: NOW_MS, refusals: 2, reason: 'no', probeAtMs: NOW_MS };
    const lowered = ['groq/a', 'gemini/a'].map((scope) =>
      aLimit({ scope, amount: 21, declaredAmount: 30, evidence }),
    );
    const { notes } = judge(answer(['vendor/a', 'vendor/b']), { lowered });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /^groq\/a req\/min is lowered to 21 of the declared 30 .*`npx nightshift providers`/u,
    );
  });

  it('names the variable of a key that was refused', () => {
    for (const probe of [refusal(401), refusal(400, 'API key not valid')]) {
      expect(judge(probe)).toMatchObject({
        isUsable: false,
        wayOut: expect.stringContaining('GROQ_API_KEY'),
      });
    }
  });

  it('does not hold a missing list of models or a busy minute against a provider', () => {
    expect(judge(refusal(404)).isUsable).toBe(true);
    expect(judge(refusal(429)).isUsable).toBe(true);
  });

  it('says that an address which sends callers elsewhere is to be corrected', () => {
    expect(judge(refusal(301))).toMatchObject({
      isUsable: false,
      wayOut: expect.stringContaining('baseUrl'),
    });
  });

  it('says to start a local server that does not answer', () => {
    const provider = { ...groq, tier: 'local' } as const;
    const verdict = judge({ kind: 'silent', reason: 'connect ECONNREFUSED' }, { provider });
    expect(verdict).toMatchObject({ isUsable: false, wayOut: expect.stringContaining('Start the server') });
  });

  it('warns of a clock that is more than two seconds off', () => {
    expect(notesAt(90_000)).toEqual(["This machine's clock is 1 min 30 s behind its clock."]);
    expect(notesAt(-1_500)).toEqual([]);
  });

  it('is bad when it lists models but refused the calls of a run', () => {
    const closing = {
      scope: 'groq',
      untilMs: NOW_MS + 9,
      kind: 'no-money',
      reason: 'HTTP 402',
      needsUser: true,
    };
    const verdict = judge(answer(null), { closings: [closing] });
    expect(verdict).toMatchObject({ isUsable: false, wayOut: expect.stringContaining('Top the account up') });
  });
});
