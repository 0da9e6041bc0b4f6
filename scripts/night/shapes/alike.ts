/** All documents are alike, so that nothing can be gained by putting the right ones in the right place. */
import { documentsOf } from '../documents.ts';
import { daily, MINUTE_MS, refill, rolling, session } from '../limits.ts';
import { deadFor, EVENING_AT_MS, randomFaults, type Shape, tierOf } from './shape.ts';

const DOCUMENTS = 2_000;

/** A night of documents of one size. */
export const alike: Shape = ({ chance, scale }) => {
  const much = (amount: number): number => Math.max(1, Math.round(chance.about(amount) * scale));
  return {
    startsAtMs: EVENING_AT_MS,
    tiers: [
      tierOf('bucket', {
        limits: [refill('requests', 30), refill('tokens', chance.about(12_000))],
        dialect: 'groq',
      }),
      tierOf('minute', { limits: [rolling('requests', chance.about(12))] }),
      tierOf('tokens', { limits: [rolling('requests', 30), rolling('tokens', chance.about(16_000))] }),
      tierOf('day', {
        limits: [rolling('requests', 15), daily('requests', much(150), 'UTC')],
        dialect: 'gemini',
      }),
      tierOf('sessions', {
        limits: [session('requests', much(60), Math.round(15 * MINUTE_MS * scale))],
        dialect: 'ollama',
      }),
      tierOf('slow', { concurrency: 2, minMs: chance.about(15_000) }),
    ],
    documents: documentsOf(
      Math.round(DOCUMENTS * scale),
      {
        medianTokens: 1_500,
        sigma: 0,
        shortestTokens: 60,
        longestTokens: 12_000,
        medianAnswerTokens: 100,
        capTokens: 150,
      },
      chance,
    ),
    faults: [deadFor('minute', chance.between(5, 20) * MINUTE_MS, scale / 2), ...randomFaults],
    deadlineMs: null,
  };
};
