/** Tokens are scarce everywhere, and in every kind of window; requests are not. */
import { documentsOf } from '../documents.ts';
import { fixed, MINUTE_MS, refill, rolling, session } from '../limits.ts';
import { deadFor, EVENING_AT_MS, modelOf, randomFaults, type Shape, tierOf } from './shape.ts';

const DOCUMENTS = 2_000;

/** A night bound by tokens. */
export const tokenBound: Shape = ({ chance, scale }) => {
  const much = (amount: number): number => Math.max(1, Math.round(chance.about(amount) * scale));
  const part = (minutes: number): number => Math.round(minutes * MINUTE_MS * scale);
  return {
    startsAtMs: EVENING_AT_MS,
    tiers: [
      {
        id: 'buckets',
        dialect: 'groq',
        limits: [],
        models: ['20b', '120b'].map((id) =>
          modelOf(id, {
            limits: [refill('requests', chance.about(30)), refill('tokens', chance.about(6_000))],
            minMs: 600,
          }),
        ),
      },
      tierOf('wide', { limits: [rolling('tokens', chance.about(24_000)), rolling('requests', 60)] }),
      tierOf('narrow', { limits: [rolling('tokens', chance.about(5_000)), rolling('requests', 40)] }),
      tierOf('input', { limits: [rolling('inputTokens', chance.about(9_000))], dialect: 'gemini' }),
      tierOf('output', {
        limits: [rolling('outputTokens', chance.about(900)), rolling('tokens', chance.about(12_000))],
      }),
      tierOf('quarters', {
        limits: [
          fixed('tokens', much(90_000), { perMs: part(15), anchorAtMs: EVENING_AT_MS + part(7) }),
          rolling('requests', 60),
        ],
      }),
      tierOf('sessions', { limits: [session('tokens', much(120_000), part(20))], concurrency: 2 }),
      tierOf('days', { limits: [refill('tokens', much(150_000), part(1_440)), refill('requests', 30)] }),
    ],
    documents: documentsOf(
      Math.round(DOCUMENTS * scale),
      {
        medianTokens: 900,
        sigma: 1,
        shortestTokens: 80,
        longestTokens: 18_000,
        medianAnswerTokens: 80,
        capTokens: 250,
      },
      chance,
    ),
    faults: [deadFor('wide', chance.between(5, 20) * MINUTE_MS, scale / 2), ...randomFaults],
    deadlineMs: null,
  };
};
