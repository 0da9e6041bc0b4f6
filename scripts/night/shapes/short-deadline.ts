/** A night that is to be over in about half of the time that it takes at least: as many documents as possible by then. */
import { documentsOf } from '../documents.ts';
import { daily, MINUTE_MS, refill, rolling } from '../limits.ts';
import { EVENING_AT_MS, randomFaults, type Shape, tierOf } from './shape.ts';

const DOCUMENTS = 3_000;
const DEADLINE_MS = 20 * MINUTE_MS;

/** A night with too short a deadline. */
export const shortDeadline: Shape = ({ chance, scale }) => ({
  startsAtMs: EVENING_AT_MS,
  tiers: [
    tierOf('bucket', {
      limits: [refill('requests', 30), refill('tokens', chance.about(10_000))],
      dialect: 'groq',
    }),
    tierOf('large', {
      limits: [rolling('requests', chance.about(12)), rolling('inputTokens', 250_000)],
      dialect: 'gemini',
    }),
    tierOf('tokens', { limits: [rolling('requests', 40), rolling('tokens', chance.about(20_000))] }),
    tierOf('day', {
      limits: [rolling('requests', 20), daily('requests', Math.round(chance.about(100) * scale), 'UTC')],
      dialect: 'openrouter',
    }),
    tierOf('small', { limits: [rolling('requests', chance.about(8))], contextTokens: 4_096 }),
    tierOf('slow', { concurrency: 1, minMs: chance.about(18_000) }),
  ],
  documents: documentsOf(
    Math.round(DOCUMENTS * scale),
    {
      medianTokens: 1_000,
      sigma: 1.1,
      shortestTokens: 60,
      longestTokens: 25_000,
      medianAnswerTokens: 90,
      capTokens: 250,
    },
    chance,
  ),
  faults: randomFaults,
  deadlineMs: Math.round(DEADLINE_MS * scale),
});
