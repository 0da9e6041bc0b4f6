import { expect, test } from 'vitest';
import { targetTokens } from '../../../src/core/matching.ts';
import { aLane, aProvider } from '../../app/fakes.ts';

test('a paid lane would rather make small calls, whatever its limits: a budget buys the most lines that way', () => {
  const minute = { kind: 'rolling', perMs: 60_000 } as const;
  const lane = aLane('vendor/mini', { limits: [{ metric: 'requests', amount: 10, window: minute }] });
  expect(targetTokens(aProvider([lane], { tier: 'paid' }), lane)).toBe(0);
  expect(targetTokens(aProvider([lane]), lane)).toBeGreaterThan(1_000_000);
});
