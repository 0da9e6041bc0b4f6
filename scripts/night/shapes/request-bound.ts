/** Requests are scarce everywhere; the lanes differ in how large a document they take. */
import { documentsOf } from '../documents.ts';
import { daily, fixed, HOUR_MS, MINUTE_MS, refill, rolling, session } from '../limits.ts';
import { deadFor, EVENING_AT_MS, randomFaults, type Shape, tierOf } from './shape.ts';

const DOCUMENTS = 1_800;

/** A night bound by requests. */
export const requestBound: Shape = ({ chance, scale }) => {
  const much = (amount: number): number => Math.max(1, Math.round(chance.about(amount) * scale));
  const part = (minutes: number): number => Math.round(minutes * MINUTE_MS * scale);
  return {
    startsAtMs: EVENING_AT_MS,
    tiers: [
      tierOf('large', {
        limits: [rolling('requests', chance.about(8)), rolling('inputTokens', 250_000)],
        dialect: 'gemini',
      }),
      tierOf('middle', { limits: [rolling('requests', chance.about(10))], contextTokens: 16_384 }),
      tierOf('small', { limits: [rolling('requests', chance.about(9))], contextTokens: 4_096 }),
      tierOf('bucket', {
        limits: [refill('requests', chance.about(6)), refill('tokens', 30_000)],
        dialect: 'groq',
      }),
      tierOf('day', {
        limits: [rolling('requests', 20), daily('requests', much(120), 'UTC')],
        dialect: 'openrouter',
      }),
      tierOf('sessions', { limits: [session('requests', much(60), part(25))], contextTokens: 32_768 }),
      tierOf('half-hours', {
        limits: [
          fixed('requests', much(70), { perMs: part(30), anchorAtMs: EVENING_AT_MS + part(12) }),
          rolling('requests', 15),
        ],
        contextTokens: 8_192,
      }),
      tierOf('hours', { limits: [rolling('requests', much(80), Math.round(HOUR_MS * scale))] }),
    ],
    documents: documentsOf(
      Math.round(DOCUMENTS * scale),
      {
        medianTokens: 1_500,
        sigma: 1.1,
        shortestTokens: 80,
        longestTokens: 30_000,
        medianAnswerTokens: 100,
        capTokens: 300,
      },
      chance,
    ),
    faults: [deadFor('middle', chance.between(5, 20) * MINUTE_MS, scale / 2), ...randomFaults],
    deadlineMs: null,
  };
};
