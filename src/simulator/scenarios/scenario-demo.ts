/**
 * Five plainly invented tiers for the demo: four windows of different kinds that together do about 64 State of the
 * Union addresses (2,000-7,000 tokens each, some 300,000 in all) in 20-25 s, none of them alone in under a minute,
 * and a fifth, the most generous, that stops answering for good after six calls. Measured with a greedy client that
 * asks until it is let in: 64 addresses, 305,188 tokens, in 21.2 s.
 */
import type { Scenario } from './scenario-default.ts';
import type { SimulatedLatency, SimulatedModel } from '../tier.ts';

const LATENCY: SimulatedLatency = { minMs: 250, perOutputTokenMs: 3, jitterMs: 200 };

function demoModel(id: string, concurrency: number): SimulatedModel {
  return { id, contextTokens: 32_768, maxOutputTokens: 2_048, concurrency, latency: LATENCY, limits: [] };
}

/** Tiers and the one fault of the demo. */
export const DEMO_SCENARIO: Scenario = {
  tiers: [
    {
      id: 'sim-rolling',
      dialect: 'openai',
      limits: [
        { metric: 'requests', amount: 5, window: { kind: 'rolling', perMs: 5_000 } },
        { metric: 'tokens', amount: 17_500, window: { kind: 'rolling', perMs: 5_000 } },
      ],
      models: [demoModel('small-a', 3)],
    },
    {
      id: 'sim-refill',
      dialect: 'groq',
      limits: [
        { metric: 'requests', amount: 7, window: { kind: 'refill', perMs: 10_000 }, calledAs: 'day' },
        { metric: 'tokens', amount: 10_000, window: { kind: 'refill', perMs: 4_000 } },
      ],
      models: [demoModel('small-b', 2)],
    },
    {
      id: 'sim-fixed',
      dialect: 'gemini',
      limits: [
        { metric: 'requests', amount: 6, window: { kind: 'fixed', perMs: 10_000, anchorAtMs: 0 } },
        { metric: 'inputTokens', amount: 28_000, window: { kind: 'fixed', perMs: 10_000, anchorAtMs: 0 } },
      ],
      models: [demoModel('small-c', 4)],
    },
    {
      id: 'sim-short-day',
      dialect: 'openrouter',
      limits: [
        {
          metric: 'requests',
          amount: 4,
          window: { kind: 'fixed', perMs: 8_000, anchorAtMs: 0 },
          calledAs: 'day',
        },
        { metric: 'requests', amount: 2, window: { kind: 'rolling', perMs: 2_000 } },
      ],
      models: [demoModel('large-d', 2)],
    },
    {
      id: 'sim-dies-early',
      dialect: 'openai',
      limits: [{ metric: 'requests', amount: 20, window: { kind: 'rolling', perMs: 5_000 } }],
      models: [demoModel('large-e', 4)],
    },
  ],
  faults: [{ provider: 'sim-dies-early', kind: 'dead', afterCalls: 6 }],
};
