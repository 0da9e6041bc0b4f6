/** One provider has most of the capacity; what the others add is worth having all the same. */
import { documentsOf } from '../documents.ts';
import { daily, MINUTE_MS, refill, rolling, session } from '../limits.ts';
import { deadFor, EVENING_AT_MS, modelOf, randomFaults, type Shape, tierOf } from './shape.ts';

const DOCUMENTS = 2_400;

/** A night with one dominant provider. */
export const oneDominant: Shape = ({ chance, scale }) => {
  const much = (amount: number): number => Math.max(1, Math.round(chance.about(amount) * scale));
  return {
    startsAtMs: EVENING_AT_MS,
    tiers: [
      {
        id: 'giant',
        dialect: 'mistral',
        limits: [rolling('requests', chance.about(36)), rolling('tokens', chance.about(90_000))],
        models: [modelOf('small', { concurrency: 8 }), modelOf('large', { concurrency: 8, minMs: 2_500 })],
      },
      tierOf('bucket', {
        limits: [refill('requests', chance.about(10)), refill('tokens', chance.about(6_000))],
        dialect: 'groq',
      }),
      tierOf('day', {
        limits: [rolling('requests', 15), daily('requests', much(60), 'UTC')],
        dialect: 'gemini',
      }),
      tierOf('sessions', {
        limits: [session('tokens', much(50_000), Math.round(20 * MINUTE_MS * scale))],
        contextTokens: 16_384,
        concurrency: 1,
        minMs: 4_000,
      }),
      tierOf('slow', { concurrency: 1, minMs: chance.about(20_000) }),
    ],
    documents: documentsOf(
      Math.round(DOCUMENTS * scale),
      {
        medianTokens: 1_300,
        sigma: 1.1,
        shortestTokens: 80,
        longestTokens: 35_000,
        medianAnswerTokens: 100,
        capTokens: 300,
      },
      chance,
    ),
    faults: [deadFor('giant', chance.between(8, 25) * MINUTE_MS, scale / 4), ...randomFaults],
    deadlineMs: null,
  };
};
