import { expect, it } from 'vitest';
import { planJson } from '../../../src/cli/plan/plan-json.ts';
import { aLaneForecast, aReport, NIGHT_MS } from './a-report.ts';

const minute = {
  scope: 'groq/gpt-oss-20b',
  metric: 'tokens',
  window: { kind: 'refill', perMs: 60_000 },
  amount: 8_000,
  used: 0,
  freeings: [],
  marginMs: 0,
} as const;

it('the JSON of a forecast has all that is printed, and how to add a provider', () => {
  const addition = {
    providerId: 'ovh',
    finishAtMs: NIGHT_MS,
    linesLeft: 0,
    lines: 10,
    tooLargeLines: 0,
  };
  const json = planJson(aReport({ lanes: [aLaneForecast({ binding: minute })], additions: [addition] }));
  expect(JSON.parse(JSON.stringify(json))).toMatchObject({
    input: 'docs',
    basis: 'configuration',
    batch: null,
    terms: { nightWindow: null, priority: 0, deadlineAtMs: null },
    hasPaidLane: false,
    lines: 4_000,
    finish: { kind: 'at' },
    lanes: [{ laneId: 'groq/gpt-oss-20b', boundBy: '8,000 tokens a minute', state: { kind: 'open' } }],
    additions: [{ providerId: 'ovh', apiKeyEnv: null, howToAdd: expect.stringContaining('ovh: {}') }],
    deadline: null,
  });
});
