/**
 * The realistic night: twelve providers that resemble real free tiers (as of November 2026), every kind of window, documents
 * from a note to a small book, and what goes wrong in a night. The least possible is about three hours.
 */
import { documentsOf } from '../documents.ts';
import { daily, DAY_MS, fixed, HOUR_MS, MINUTE_MS, monthly, refill, rolling, session } from '../limits.ts';
import { deadFor, modelOf, randomFaults, type Shape, type ShapeOptions, tierOf } from './shape.ts';

const DOCUMENTS = 4_500;
/** The next midnight in Los Angeles. */
const MIDNIGHT_AT_MS = Date.UTC(2026, 10, 21, 8, 0);
const PACIFIC = 'America/Los_Angeles';

/** A mixed night. */
export const mixed: Shape = (options) => {
  const { chance, scale } = options;
  const startsAtMs = MIDNIGHT_AT_MS - Math.round(chance.between(95, 130) * MINUTE_MS * scale);
  const dead = chance.oneOf(['like-gemini', 'like-mistral', 'like-nvidia']);
  return {
    startsAtMs,
    tiers: tiersOf(options, startsAtMs),
    documents: documentsOf(
      Math.round(DOCUMENTS * scale),
      {
        medianTokens: 1_100,
        sigma: 1.2,
        shortestTokens: 60,
        longestTokens: 40_000,
        medianAnswerTokens: 90,
        capTokens: 300,
      },
      chance,
    ),
    faults: [deadFor(dead, chance.between(25, 90) * MINUTE_MS, scale), ...randomFaults],
    deadlineMs: null,
  };
};

const tiersOf = ({ chance, scale }: ShapeOptions, startsAtMs: number): ReturnType<Shape>['tiers'] => {
  /** What a long window holds. */
  const much = (amount: number): number => Math.max(1, Math.round(chance.about(amount) * scale));
  const groqLimits = () => [
    refill('requests', chance.about(30)),
    refill('requests', much(1_000), DAY_MS),
    refill('tokens', chance.about(8_000)),
    refill('tokens', much(200_000), DAY_MS),
  ];
  const geminiLimits = () => [
    rolling('requests', chance.about(15)),
    rolling('inputTokens', chance.about(250_000)),
    daily('requests', much(240), PACIFIC),
  ];
  return [
    {
      id: 'like-groq',
      dialect: 'groq',
      limits: [],
      models: ['gpt-oss-20b', 'gpt-oss-120b'].map((id) =>
        modelOf(id, { limits: groqLimits(), minMs: 500, perOutputTokenMs: 3 }),
      ),
    },
    {
      id: 'like-gemini',
      dialect: 'gemini',
      limits: [],
      models: ['flash-lite-3.5', 'flash-lite-3.1'].map((id) =>
        modelOf(id, { limits: geminiLimits(), contextTokens: 1_048_576, concurrency: 6, minMs: 2_000 }),
      ),
    },
    {
      id: 'like-openrouter',
      dialect: 'openrouter',
      limits: [rolling('requests', chance.about(20)), daily('requests', much(50), 'UTC')],
      models: [
        modelOf('gemma:free', { contextTokens: 262_144, minMs: 4_000, perOutputTokenMs: 20 }),
        modelOf('nemotron:free', { contextTokens: 32_768, minMs: 3_000, perOutputTokenMs: 15 }),
      ],
    },
    {
      id: 'like-cloudflare',
      dialect: 'cloudflare',
      limits: [rolling('requests', 300), daily('units', much(2_200), 'UTC')],
      models: [modelOf('llama-8b', { contextTokens: 32_000, unitCost: { input: 4.119, output: 34.868 } })],
    },
    {
      id: 'like-mistral',
      dialect: 'mistral',
      limits: [
        rolling('requests', chance.about(50)),
        rolling('tokens', chance.about(50_000)),
        monthly('tokens', much(220_000)),
      ],
      models: [modelOf('small'), modelOf('ministral-8b')],
    },
    {
      id: 'like-cohere',
      dialect: 'cohere',
      limits: [monthly('requests', much(100))],
      models: ['command-r7b', 'command-a'].map((id) =>
        modelOf(id, { limits: [rolling('requests', chance.about(20))], minMs: 2_500 }),
      ),
    },
    tierOf('like-nvidia', {
      dialect: 'nvidia',
      limits: [rolling('requests', chance.about(40))],
      concurrency: 2,
      minMs: chance.about(36_000),
      perOutputTokenMs: 60,
    }),
    tierOf('like-zai', {
      dialect: 'zhipu',
      concurrency: 1,
      minMs: chance.about(26_000),
      perOutputTokenMs: 60,
    }),
    tierOf('like-ollama', {
      dialect: 'ollama',
      limits: [
        session('requests', chance.about(40), Math.round(40 * MINUTE_MS * scale)),
        session('tokens', much(90_000), Math.round(40 * MINUTE_MS * scale)),
      ],
      contextTokens: 16_384,
      concurrency: 1,
      minMs: 5_000,
      perOutputTokenMs: 25,
    }),
    tierOf('like-llm7', {
      limits: [
        rolling('requests', chance.about(60)),
        rolling('requests', much(250), HOUR_MS),
        rolling('tokens', much(45_000), DAY_MS),
      ],
      contextTokens: 32_768,
    }),
    tierOf('like-requesty', {
      limits: [
        fixed('requests', much(60), {
          perMs: DAY_MS,
          anchorAtMs: startsAtMs + Math.round(chance.between(50, 85) * MINUTE_MS * scale),
        }),
      ],
      contextTokens: 65_536,
      concurrency: 2,
    }),
    {
      id: 'like-ovh',
      dialect: 'openai',
      limits: [],
      models: ['mistral-7b'].map((id) =>
        modelOf(id, { limits: [rolling('requests', 2)], contextTokens: 8_192, concurrency: 1, minMs: 3_000 }),
      ),
    },
  ];
};
