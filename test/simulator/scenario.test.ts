import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkTiers } from '../../src/simulator/check-tiers.ts';
import { configFor } from '../../src/simulator/config-for.ts';
import { simulate } from '../../src/simulator/main.ts';
import { SCENARIOS, speedUp } from '../../src/simulator/scenarios/scenario.ts';
import { windowName } from '../../src/simulator/tier.ts';
import { HELLO, instantModel, tierOf } from './serving.ts';

const DEFAULT_TIERS = SCENARIOS.default.tiers;

describe('the ready-made scenarios', () => {
  it('can be served at any speed', () => {
    for (const { tiers } of Object.values(SCENARIOS)) {
      for (const speed of [1, 7, 60, 1_000]) expect(() => checkTiers(speedUp(tiers, speed))).not.toThrow();
    }
  });

  it('keep the provider words for windows that were made shorter', () => {
    const groq = speedUp(DEFAULT_TIERS, 60).find(({ id }) => id === 'sim-groq')?.models[0]?.limits ?? [];
    expect(groq.map((limit) => [windowName(limit), limit.amount, limit.window])).toEqual([
      ['minute', 30, { kind: 'refill', perMs: 1_000 }],
      ['day', 1_000, { kind: 'refill', perMs: 1_440_000 }],
      ['minute', 8_000, { kind: 'refill', perMs: 1_000 }],
      ['day', 200_000, { kind: 'refill', perMs: 1_440_000 }],
    ]);
  });

  it('keep the rate of a window that would become shorter than 100 ms', () => {
    const mistral = speedUp(DEFAULT_TIERS, 60).find(({ id }) => id === 'sim-mistral')?.limits[0];
    expect(mistral).toMatchObject({ amount: 6, window: { kind: 'rolling', perMs: 100 } });
  });

  it('turn a calendar day into fixed windows that start at a midnight of its zone', () => {
    const gemini = speedUp(DEFAULT_TIERS, 24).find(({ id }) => id === 'sim-gemini')?.models[0]?.limits[2];
    expect(gemini?.window).toEqual({ kind: 'fixed', perMs: 3_600_000, anchorAtMs: Date.UTC(2026, 0, 1, 8) });
  });
});

describe('the configuration for simulated tiers', () => {
  it('says each limit with its window as nightshift.yaml has it, and pools every lane', () => {
    const timeZone = 'America/Los_Angeles';
    const tier = tierOf({
      concurrency: 4,
      refusesParameters: ['seed'],
      limits: [
        { metric: 'requests', amount: 200, window: { kind: 'calendar', unit: 'day', timeZone } },
        {
          metric: 'tokens',
          amount: 9,
          window: { kind: 'fixed-month', anchorAtMs: Date.UTC(2026, 0, 31), timeZone },
        },
      ],
      models: [
        instantModel({
          id: 'a/b:free',
          limits: [
            { metric: 'inputTokens', amount: 5, window: { kind: 'refill', perMs: 1_500 } },
            { metric: 'requests', amount: 1, window: { kind: 'fixed', perMs: 60_000, anchorAtMs: 0 } },
            { metric: 'outputTokens', amount: 1, window: { kind: 'rolling', perMs: 86_400_000 } },
          ],
        }),
      ],
    });
    expect(configFor('http://127.0.0.1:9', [tier], 'SIM_KEY')).toEqual({
      providers: {
        sim: {
          baseUrl: 'http://127.0.0.1:9/sim/v1',
          apiKeyEnv: 'SIM_KEY',
          tier: 'free',
          trainsOnData: false,
          dialect: 'openai',
          concurrency: 4,
          refusesParameters: ['seed'],
          limits: [
            { requests: 200, per: '1d', window: 'calendar', timeZone },
            { tokens: 9, per: '1month', window: 'fixed', anchor: '2026-01-31T00:00:00.000Z', timeZone },
          ],
          models: {
            'a/b:free': {
              contextTokens: 8_192,
              maxOutputTokens: 512,
              concurrency: 4,
              limits: [
                { inputTokens: 5, per: '1500ms', window: 'refill' },
                { requests: 1, per: '60s', window: 'fixed', anchor: '1970-01-01T00:00:00.000Z' },
                { outputTokens: 1, per: '1d', window: 'rolling' },
              ],
            },
          },
        },
      },
      pools: { small: ['sim/a/b:free'] },
    });
  });
});

describe('the configuration for windows that few providers have', () => {
  it('has sessions, calendar weeks, and units with what each model takes of them', () => {
    const timeZone = 'UTC';
    const tier = tierOf({
      limits: [
        { metric: 'units', amount: 10_000, window: { kind: 'calendar', unit: 'week', timeZone } },
        { metric: 'requests', amount: 40, window: { kind: 'session', perMs: 18_000_000 } },
      ],
      models: [instantModel({ unitCost: { input: 4.119, output: 34.868 } })],
    });
    expect(configFor('http://127.0.0.1:9', [tier]).providers['sim']).toMatchObject({
      limits: [
        { units: 10_000, per: '7d', window: 'calendar', timeZone },
        { requests: 40, per: '18000s', window: 'session' },
      ],
      models: { small: { unitCost: { input: 4.119, output: 34.868 } } },
    });
  });

  it('cannot be made where the cost of a limited unit is missing', () => {
    const limits = [{ metric: 'units', amount: 9, window: { kind: 'session', perMs: 1_000 } }] as const;
    expect(() => checkTiers([tierOf({ limits })])).toThrow(
      'Expected `tiers[0].models[0].unitCost` to be there, because a limit counts units',
    );
    const unitCost = { input: -1, output: 1 };
    expect(() => checkTiers([tierOf({ limits, models: [instantModel({ unitCost })] })])).toThrow(
      'Expected `tiers[0].models[0].unitCost` to be costs of 0 or more',
    );
  });
});

describe('nightshift simulate', () => {
  it('prints base URLs, writes the configuration, and ends with a table of what happened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nightshift-simulate-'));
    const writeConfig = join(folder, 'nightshift.yaml');
    const stopping = new AbortController();
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    const ended = simulate({ scenario: 'demo', writeConfig, quiet: true, signal: stopping.signal, print });
    await expect.poll(() => lines.at(-1)).toContain('configuration');
    const config = parse(await readFile(writeConfig, 'utf8'));
    const { baseUrl } = config.providers['sim-rolling'];
    const body = JSON.stringify({ ...HELLO, model: 'small-a' });
    expect((await fetch(`${baseUrl}/chat/completions`, { method: 'POST', body })).status).toBe(200);
    stopping.abort();
    await ended;
    expect(lines.at(-1)).toMatch(/sim-rolling\/small-a\s+1\s+1\s+0\s+0/u);
    await expect(fetch(`${baseUrl}/models`)).rejects.toThrow('fetch failed');
    await rm(folder, { recursive: true });
  });
});
