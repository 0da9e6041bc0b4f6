/**
 * Six tiers that resemble real free ones, as of 2026-11-20 (facts/providers.md section 2, providers.json). The ids
 * say that they are simulated; models, limits, windows and words are those of the providers they imitate.
 * Mistral's figures are disputed there; the header probe of February (50,000 tokens a minute, 4 million a month)
 * is used. Cloudflare's 10,000 Neurons a day are 534 documents of 2,000 + 300 tokens on its 8B model: 18.7 each.
 */
import type { FaultRule } from '../faults/fault.ts';
import type { SimulatedLatency, SimulatedLimit, SimulatedModel, SimulatedTier } from '../tier.ts';

/** Tiers and the faults that belong to them. */
export interface Scenario {
  readonly tiers: readonly SimulatedTier[];
  readonly faults: readonly FaultRule[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const TYPICAL_LATENCY: SimulatedLatency = { minMs: 400, perOutputTokenMs: 8, jitterMs: 300 };

const rolling = (metric: SimulatedLimit['metric'], amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'rolling', perMs },
});

const refill = (metric: SimulatedLimit['metric'], amount: number, perMs: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'refill', perMs },
});

const daily = (metric: SimulatedLimit['metric'], amount: number, timeZone: string): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'calendar', unit: 'day', timeZone },
});

const monthly = (metric: SimulatedLimit['metric'], amount: number): SimulatedLimit => ({
  metric,
  amount,
  window: { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
});

function groqModel(id: string): SimulatedModel {
  return {
    id,
    contextTokens: 131_072,
    maxOutputTokens: 65_536,
    latency: { minMs: 200, perOutputTokenMs: 2, jitterMs: 150 },
    limits: [
      refill('requests', 30, MINUTE_MS),
      refill('requests', 1_000, DAY_MS),
      refill('tokens', 8_000, MINUTE_MS),
      refill('tokens', 200_000, DAY_MS),
    ],
  };
}

function geminiModel(id: string): SimulatedModel {
  return {
    id,
    contextTokens: 1_048_576,
    maxOutputTokens: 65_536,
    latency: TYPICAL_LATENCY,
    limits: [
      rolling('requests', 15, MINUTE_MS),
      rolling('inputTokens', 250_000, MINUTE_MS),
      daily('requests', 500, 'America/Los_Angeles'),
    ],
  };
}

function cohereModel(id: string, maxOutputTokens: number): SimulatedModel {
  const limits = [rolling('requests', 20, MINUTE_MS)];
  return { id, contextTokens: 131_072, maxOutputTokens, latency: TYPICAL_LATENCY, limits };
}

/** What `nightshift simulate` serves unless told otherwise. */
export const DEFAULT_SCENARIO: Scenario = {
  tiers: [
    {
      id: 'sim-groq',
      dialect: 'groq',
      limits: [],
      models: [groqModel('openai/gpt-oss-20b'), groqModel('openai/gpt-oss-120b')],
    },
    {
      id: 'sim-gemini',
      dialect: 'gemini',
      limits: [],
      refusesParameters: [
        'frequency_penalty',
        'seed',
        'top_k',
        'logit_bias',
        'logprobs',
        'top_logprobs',
        'min_p',
      ],
      models: [geminiModel('gemini-3.5-flash-lite'), geminiModel('gemini-3.1-flash-lite')],
    },
    {
      id: 'sim-openrouter',
      dialect: 'openrouter',
      limits: [rolling('requests', 20, MINUTE_MS), daily('requests', 50, 'UTC')],
      models: [
        {
          id: 'google/gemma-4-31b-it:free',
          contextTokens: 262_144,
          maxOutputTokens: 32_768,
          latency: TYPICAL_LATENCY,
          limits: [],
        },
        {
          id: 'nvidia/nemotron-nano-9b-v2:free',
          contextTokens: 128_000,
          maxOutputTokens: 8_192,
          latency: TYPICAL_LATENCY,
          limits: [],
        },
      ],
    },
    {
      id: 'sim-cloudflare',
      dialect: 'cloudflare',
      limits: [rolling('requests', 300, MINUTE_MS), daily('units', 10_000, 'UTC')],
      models: [
        {
          id: '@cf/meta/llama-3.1-8b-instruct-fp8-fast',
          contextTokens: 32_000,
          maxOutputTokens: 8_192,
          unitCost: { input: 4.119, output: 34.868 },
          latency: TYPICAL_LATENCY,
          limits: [],
        },
      ],
    },
    {
      id: 'sim-mistral',
      dialect: 'mistral',
      limits: [
        rolling('requests', 1, 1_000),
        rolling('tokens', 50_000, MINUTE_MS),
        monthly('tokens', 4_000_000),
      ],
      refusesParameters: [
        'top_k',
        'min_p',
        'repetition_penalty',
        'logit_bias',
        'logprobs',
        'top_logprobs',
        'reasoning_effort',
      ],
      models: [
        {
          id: 'mistral-small-2603',
          contextTokens: 262_144,
          maxOutputTokens: 16_384,
          latency: TYPICAL_LATENCY,
          limits: [],
        },
        {
          id: 'ministral-8b-2512',
          contextTokens: 262_144,
          maxOutputTokens: 16_384,
          latency: TYPICAL_LATENCY,
          limits: [],
        },
      ],
    },
    {
      id: 'sim-cohere',
      dialect: 'cohere',
      limits: [monthly('requests', 1_000)],
      models: [cohereModel('command-r7b-12-2024', 4_096), cohereModel('command-a-plus-05-2026', 65_536)],
    },
  ],
  faults: [],
};
