/** What is measured by the log is right for calls whose share is known. */
import { expect, test } from 'vitest';
import type { CallRecord } from '../../src/simulator/call-log.ts';
import { fixed, refill, rolling, session } from './providers.ts';
import { shareUsed } from './share-used.ts';

const call = (arrivedAtMs: number, promptTokens = 1): CallRecord => ({
  sequence: 1,
  arrivedAtMs,
  durationMs: 1,
  provider: 'only',
  model: 'model',
  messagesHash: null,
  customId: null,
  status: 200,
  outcome: { kind: 'succeeded' },
  promptTokens,
  completionTokens: 0,
  reservedOutputTokens: 0,
  fault: null,
});

/** Ten calls at once every `everyMs`, from the anchor of fixed windows on. */
const bursts = (everyMs: number, count = 10): readonly CallRecord[] =>
  Array.from({ length: 10 * count }, (_, index) =>
    call(Date.UTC(2026, 0, 1) + Math.floor(index / 10) * everyMs),
  );

test.each([
  ['rolling', rolling('requests', 10, 1_000)],
  ['refill', refill('requests', 10, 1_000)],
  ['fixed', fixed('requests', 10, 1_000)],
  ['session', session('requests', 10, 1_000)],
] as const)('Of a %s limit that is taken whole as soon as it is there, all is used', (_, limit) => {
  expect(shareUsed(bursts(1_000), limit)).toBe(1);
});

test('What comes later than it might lowers the share of a window that moves, and nothing between two sessions does', () => {
  expect(shareUsed(bursts(1_250), rolling('requests', 10, 1_000))).toBe(0.8);
  expect(shareUsed(bursts(1_250), refill('requests', 10, 1_000))).toBe(0.8);
  expect(shareUsed(bursts(1_250), session('requests', 10, 1_000))).toBe(1);
});

test('What is left of windows and of sessions lowers their share', () => {
  expect(shareUsed(bursts(1_000), fixed('requests', 16, 1_000))).toBe(10 / 16);
  expect(shareUsed(bursts(1_000), session('requests', 16, 1_000))).toBe(10 / 16);
  expect(shareUsed(bursts(500), session('requests', 25, 1_000))).toBe(20 / 25);
});

test('Tokens and units are weighed, not counted', () => {
  const cost = { input: 250, output: 0 };
  const calls = bursts(1_000).map(({ arrivedAtMs }) => call(arrivedAtMs, 4));
  expect(shareUsed(calls, fixed('tokens', 50, 1_000))).toBe(0.8);
  expect(shareUsed(calls, fixed('units', 20, 1_000), cost)).toBe(0.5);
});
