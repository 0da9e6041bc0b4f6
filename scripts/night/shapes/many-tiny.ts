/** Many providers of which each allows next to nothing. */
import type { SimulatedTier } from '../../../src/simulator/tier.ts';
import type { Chance } from '../chance.ts';
import { documentsOf } from '../documents.ts';
import { fixed, MINUTE_MS, refill, rolling } from '../limits.ts';
import { deadFor, EVENING_AT_MS, randomFaults, type Shape, tierOf } from './shape.ts';

const DOCUMENTS = 1_500;
const PROVIDERS = 15;
const CONTEXTS = [4_096, 8_192, 32_768] as const;

/** A night of many tiny providers. */
export const manyTiny: Shape = ({ chance, scale }) => ({
  startsAtMs: EVENING_AT_MS,
  tiers: Array.from({ length: PROVIDERS }, (_, index) => tiny(index, chance)),
  documents: documentsOf(
    Math.round(DOCUMENTS * scale),
    {
      medianTokens: 900,
      sigma: 1,
      shortestTokens: 60,
      longestTokens: 12_000,
      medianAnswerTokens: 70,
      capTokens: 200,
    },
    chance,
  ),
  faults: [deadFor('tiny-3', chance.between(5, 20) * MINUTE_MS, scale), ...randomFaults],
  deadlineMs: null,
});

const tiny = (index: number, chance: Chance): SimulatedTier => {
  const contextTokens = CONTEXTS[index % CONTEXTS.length] ?? 8_192;
  const common = { contextTokens, concurrency: 1 + (index % 2), minMs: chance.about(3_000) };
  const id = `tiny-${index + 1}`;
  switch (index % 5) {
    case 0:
      return tierOf(id, { ...common, limits: [rolling('requests', 2 + (index % 3))] });
    case 1:
      return tierOf(id, {
        ...common,
        limits: [refill('requests', 3), refill('tokens', chance.about(4_000))],
      });
    case 2:
      return tierOf(id, {
        ...common,
        limits: [rolling('requests', 4), rolling('tokens', chance.about(14_000))],
      });
    case 3:
      return tierOf(id, {
        ...common,
        limits: [fixed('requests', 5, { perMs: 2 * MINUTE_MS, anchorAtMs: EVENING_AT_MS })],
      });
    default:
      return tierOf(id, { ...common, concurrency: 1, minMs: chance.about(24_000) });
  }
};
