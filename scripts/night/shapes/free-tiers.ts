/**
 * Nine of thirteen free tiers by chance, as somebody may hold keys for, with limits as they are documented (as of November 2026);
 * of long windows some is gone already. Documents are of any spread, and it is any hour of the day. So no two nights of this
 * shape are alike: the least possible is from half an hour to half a day.
 */
import type { SimulatedTier } from '../../../src/simulator/tier.ts';
import type { Chance } from '../chance.ts';
import { documentsOf } from '../documents.ts';
import { daily, DAY_MS, fixed, HOUR_MS, MINUTE_MS, monthly, refill, rolling, session } from '../limits.ts';
import { deadFor, modelOf, randomFaults, type Shape, tierOf } from './shape.ts';

const PROVIDERS = 9;
const PACIFIC = 'America/Los_Angeles';
/** What is left of a long window: from a sixth to all of it. */
const LEAST_LEFT = 1 / 6;
/** Any hour of a day. */
const DAY_AT_MS = Date.UTC(2026, 10, 20);

/** A night with nine keys. */
export const freeTiers: Shape = ({ chance, scale }) => {
  const startsAtMs = DAY_AT_MS + Math.round(chance.between(0, DAY_MS));
  /** What a long window holds. */
  const left = (amount: number): number =>
    Math.max(1, Math.round(amount * LEAST_LEFT ** chance.between(0, 1) * scale));
  const [first, ...others] = chance.someOf(PROVIDERS, tiersOf({ chance, left, startsAtMs, scale }));
  if (first === undefined) throw new Error('Expected some tiers, got none.');
  const dead = chance.oneOf([first, ...others]);
  return {
    startsAtMs,
    tiers: [first, ...others],
    documents: documentsOf(
      Math.round(chance.between(3_500, 5_000) * scale),
      {
        medianTokens: chance.between(600, 2_000),
        sigma: chance.between(0.7, 1.4),
        shortestTokens: 60,
        longestTokens: 40_000,
        medianAnswerTokens: chance.between(60, 150),
        capTokens: 300,
      },
      chance,
    ),
    faults: [deadFor(dead.id, chance.between(5, 90) * MINUTE_MS, scale), ...randomFaults],
    deadlineMs: null,
  };
};

interface TierOptions {
  readonly chance: Chance;
  readonly left: (amount: number) => number;
  readonly startsAtMs: number;
  readonly scale: number;
}

const tiersOf = ({ chance, left, startsAtMs, scale }: TierOptions): readonly SimulatedTier[] => [
  {
    id: 'like-groq',
    dialect: 'groq',
    limits: [],
    models: ['gpt-oss-20b', 'gpt-oss-120b'].map((id) =>
      modelOf(id, {
        limits: [
          refill('requests', 30),
          refill('requests', left(1_000), DAY_MS),
          refill('tokens', 8_000),
          refill('tokens', left(200_000), DAY_MS),
        ],
        minMs: 500,
        perOutputTokenMs: 3,
      }),
    ),
  },
  {
    id: 'like-gemini',
    dialect: 'gemini',
    limits: [],
    models: [
      ...['flash-lite-3.5', 'flash-lite-3.1'].map((id) =>
        modelOf(id, {
          limits: [
            rolling('requests', 15),
            rolling('inputTokens', 250_000),
            daily('requests', left(500), PACIFIC),
          ],
          contextTokens: 1_048_576,
          concurrency: 6,
          minMs: 2_000,
        }),
      ),
      modelOf('flash-3.6', {
        limits: [rolling('requests', 5), rolling('inputTokens', 250_000), daily('requests', 20, PACIFIC)],
        contextTokens: 1_048_576,
        minMs: 4_000,
      }),
    ],
  },
  {
    id: 'like-openrouter',
    dialect: 'openrouter',
    limits: [rolling('requests', 20), daily('requests', chance.oneOf([left(50), left(1_000)]), 'UTC')],
    models: [
      modelOf('gemma:free', { contextTokens: 262_144, minMs: 4_000, perOutputTokenMs: 20 }),
      modelOf('nemotron:free', { contextTokens: 32_768, minMs: 3_000, perOutputTokenMs: 15 }),
    ],
  },
  {
    id: 'like-cloudflare',
    dialect: 'cloudflare',
    limits: [rolling('requests', 300), daily('units', left(10_000), 'UTC')],
    models: [
      modelOf('llama-8b', { contextTokens: 32_000, unitCost: { input: 4.119, output: 34.868 } }),
      modelOf('llama-70b', { contextTokens: 24_000, unitCost: { input: 26.668, output: 204.805 } }),
    ],
  },
  tierOf('like-nvidia', {
    dialect: 'nvidia',
    limits: [rolling('requests', 40)],
    concurrency: 2,
    minMs: chance.between(25_000, 40_000),
    perOutputTokenMs: 60,
  }),
  {
    id: 'like-mistral',
    dialect: 'mistral',
    limits: [rolling('requests', 60), rolling('tokens', 50_000), monthly('tokens', left(4_000_000))],
    models: [modelOf('small'), modelOf('ministral-8b')],
  },
  {
    id: 'like-cohere',
    dialect: 'cohere',
    limits: [monthly('requests', left(1_000))],
    models: ['command-r7b', 'command-a'].map((id) =>
      modelOf(id, { limits: [rolling('requests', 20)], minMs: 2_500 }),
    ),
  },
  tierOf('like-zai', {
    dialect: 'zhipu',
    concurrency: 1,
    minMs: chance.between(20_000, 30_000),
    perOutputTokenMs: 60,
  }),
  tierOf('like-requesty', {
    limits: [
      fixed('requests', left(200), {
        perMs: DAY_MS,
        anchorAtMs: startsAtMs + Math.round(chance.between(0, DAY_MS) * scale),
      }),
    ],
    contextTokens: 65_536,
    concurrency: 2,
  }),
  tierOf('like-llm7', {
    limits: [
      rolling('requests', 60),
      rolling('requests', left(250), HOUR_MS),
      rolling('tokens', left(100_000), DAY_MS),
    ],
    contextTokens: 32_768,
  }),
  {
    id: 'like-ovh',
    dialect: 'openai',
    limits: [],
    models: ['mistral-7b', 'llama-8b', 'qwen-32b'].map((id, index) =>
      modelOf(id, {
        limits: [rolling('requests', 2)],
        contextTokens: 8_192 * 2 ** index,
        concurrency: 1,
        minMs: 3_000,
      }),
    ),
  },
  tierOf('like-ollama', {
    dialect: 'ollama',
    limits: [
      session('requests', left(200), Math.round(5 * HOUR_MS * scale)),
      session('tokens', left(600_000), Math.round(5 * HOUR_MS * scale)),
    ],
    contextTokens: 32_768,
    concurrency: 1,
    minMs: 5_000,
    perOutputTokenMs: 25,
  }),
  tierOf('like-kilo', { limits: [rolling('requests', left(200), HOUR_MS)], minMs: 2_500 }),
];
