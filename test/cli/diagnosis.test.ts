import { describe, expect, it } from 'vitest';
import type { Probe } from '../../src/adapters/openai/probe-provider.ts';
import { judgeProvider } from '../../src/cli/diagnosis.ts';
import type { Provider } from '../../src/core/model.ts';
import { NOW_MS } from './a-progress-view.ts';

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

const judge = (probe: Probe, provider = groq) =>
  judgeProvider({ provider, probe, closings: [], nowMs: NOW_MS });
const refusal = (status: number, reason = 'no'): Probe => ({
  kind: 'refused',
  status,
  reason,
  clockAheadMs: null,
});

describe('the verdict on a provider', () => {
  it('is good when it lists the configured models', () => {
    const verdict = judge({ kind: 'answered', models: ['vendor/a', 'vendor/b'], clockAheadMs: 200 });
    expect(verdict).toEqual({
      providerId: 'groq',
      isUsable: true,
      finding: 'accepts the key',
      wayOut: null,
      notes: [],
    });
  });

  it('names a model that is listed no more, and stays good for the others', () => {
    const verdict = judge({ kind: 'answered', models: ['vendor/a'], clockAheadMs: null });
    expect(verdict.isUsable).toBe(true);
    expect(verdict.notes).toEqual([
      'vendor/b is no longer listed: switch it off with `b: false` under `models`.',
    ]);
  });

  it('is bad when none of the models is there', () => {
    const verdict = judge({ kind: 'answered', models: ['vendor/z'], clockAheadMs: null });
    expect(verdict).toMatchObject({ isUsable: false, wayOut: expect.stringContaining('vendor/z') });
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

  it('says to start a local server that does not answer', () => {
    const verdict = judge({ kind: 'silent', reason: 'connect ECONNREFUSED' }, { ...groq, tier: 'local' });
    expect(verdict).toMatchObject({ isUsable: false, wayOut: expect.stringContaining('Start the server') });
  });

  it('warns of a clock that is more than two seconds off', () => {
    const probe = { kind: 'answered', models: null, clockAheadMs: 90_000 } as const;
    expect(judge(probe).notes[0]).toContain('1 min 30 s behind');
    expect(judge({ ...probe, clockAheadMs: -1_500 }).notes).toEqual([]);
  });

  it('is bad when it lists models but refused the calls of a run', () => {
    const closing = {
      scope: 'groq',
      untilMs: NOW_MS + 9,
      kind: 'no-money',
      reason: 'HTTP 402',
      needsUser: true,
    };
    const probe = { kind: 'answered', models: null, clockAheadMs: null } as const;
    const verdict = judgeProvider({ provider: groq, probe, closings: [closing], nowMs: NOW_MS });
    expect(verdict).toMatchObject({ isUsable: false, wayOut: expect.stringContaining('Top the account up') });
  });
});
